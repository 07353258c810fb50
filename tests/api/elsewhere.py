"""Somebody elsewhere who takes checkpoints over https: a real server with a certificate of its own authority."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from api.ledger.https_post import Address, Sender

NAME = "log.example"
Answer = Callable[[BaseHTTPRequestHandler], None]


class Elsewhere:
    """A server on the loopback; ``taken`` is what it was sent, ``answer`` how it answers."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        self.taken: list[tuple[str, dict[str, str], str]] = []
        self.answer: Answer = accepted
        self.asked: list[str] = []
        self.addresses: list[Address] = [ip_address("127.0.0.1")]
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        authority, certificate = _certificates(folder, name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.trust = ssl.create_default_context(cafile=str(authority))

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.server.server_address[1]}/checkpoints?of=us"

    def sender(self, *, seconds: float = 5.0) -> Sender:
        """Who takes the loopback for the internet, and believes this authority alone."""
        return Sender(self.resolve, lambda address: address.is_loopback, self.trust, seconds)

    def resolve(self, host: str, port: int) -> list[Address]:
        self.asked.append(host)
        return self.addresses

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        elsewhere = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                elsewhere.taken.append((self.path, dict(self.headers), body))
                elsewhere.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def accepted(request: BaseHTTPRequestHandler) -> None:
    request.send_response(204)
    request.end_headers()


def answering(status: int, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()

    return answer


@contextmanager
def elsewhere(folder: Path, name: str = NAME) -> Generator[Elsewhere]:
    """A server at work, whose certificate is for the name."""
    made = Elsewhere(folder, name)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


def _certificates(folder: Path, name: str) -> Iterator[Path]:
    """An authority's certificate, and one that it signed, with its key."""
    folder.mkdir(exist_ok=True)
    authority_key, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    authority = _certificate("authority", authority_key, "authority", authority_key, authority=True)
    certificate = _certificate(name, key, "authority", authority_key, authority=False)
    yield from (_written(folder / "authority.pem", authority.public_bytes(Encoding.PEM)),)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    yield _written(folder / "server.pem", certificate.public_bytes(Encoding.PEM) + private)


def _certificate(
    name: str, key: EllipticCurvePrivateKey, by: str, by_key: EllipticCurvePrivateKey, *, authority: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(_named(by), _named(name), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key())
    return builder.add_extension(issuer, critical=False).sign(by_key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file
