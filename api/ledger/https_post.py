"""Sending a text to an address somewhere on the internet: https alone, no redirects, nothing inside our own network.

The name is resolved once, every address that it has is looked at, and the connection goes to one of these; so a name
that points inwards, now or a moment later, leads nowhere. The certificate is checked against the name all the same.
"""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from urllib.parse import urlsplit

SECONDS = 5.0
ANSWER_BYTES = 4096
"""The first line of an answer must come within so many."""
TRANSLATED = ip_network("64:ff9b::/96")
"""IPv6 addresses that gateways turn into IPv4 ones (RFC 6052)."""
PUBLIC = ip_network("2000::/3")
"""All IPv6 addresses of the public internet that were ever given out (RFC 4291, 2.4; IANA)."""

Address = IPv4Address | IPv6Address


class NotDelivered(Exception):
    """The text did not arrive; the message says why."""


def is_outside(address: Address) -> bool:
    """Whether it is an address of the public internet, whichever way it is written."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in TRANSLATED:
            inner = IPv4Address(address.packed[-4:])
        if inner is not None:
            return is_outside(inner)
        if address not in PUBLIC:
            return False
    return address.is_global and not address.is_multicast


def resolved(host: str, port: int) -> list[Address]:
    """Every address of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(place[0]).partition("%")[0]) for *_, place in found))


@dataclass(frozen=True)
class Sender:
    """Who sends: how names are resolved, which addresses may be called, and whose certificates are believed."""

    resolve: Callable[[str, int], list[Address]] = resolved
    may_call: Callable[[Address], bool] = is_outside
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    seconds: float = SECONDS

    def post(self, url: str, text: str) -> None:
        """The text was taken (2xx). Raises NotDelivered, within so many seconds."""
        deadline, parts = monotonic() + self.seconds, urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        if parts.scheme != "https" or not host:
            raise NotDelivered("the address is not https")
        address = self._address(host, port, deadline)
        try:
            with socket.create_connection((str(address), port), _left(deadline)) as plain:
                plain.settimeout(_left(deadline))
                with self.trust.wrap_socket(plain, server_hostname=host) as connection:
                    status = _answer(connection, _request(parts.path or "/", parts.query, parts.netloc, text), deadline)
        except OSError as error:
            raise NotDelivered(str(error) or type(error).__name__) from error
        if not 200 <= status < 300:
            kind = "a redirect, which is not followed" if 300 <= status < 400 else "no acceptance"
            raise NotDelivered(f"the answer was {status}: {kind}")

    def _address(self, host: str, port: int, deadline: float) -> Address:
        """An address of the name, all of them being outside."""
        addresses = self._resolved(host, port, deadline)
        for address in addresses:
            if not self.may_call(address):
                raise NotDelivered(f"{host} leads to {address}, which is not on the public internet")
        return addresses[0]

    def _resolved(self, host: str, port: int, deadline: float) -> list[Address]:
        """In a thread of its own: a resolver keeps to no deadline."""
        answers: Queue[list[Address] | OSError] = Queue()

        def ask() -> None:
            try:
                answers.put(self.resolve(host, port))
            except (OSError, UnicodeError) as error:
                answers.put(OSError(str(error)))

        Thread(target=ask, daemon=True, name="resolver").start()
        try:
            found = answers.get(timeout=_left(deadline))
        except Empty:
            raise NotDelivered(f"{host} was not resolved in time") from None
        if isinstance(found, OSError) or not found:
            raise NotDelivered(f"{host} cannot be resolved: {found}")
        return found


def _request(path: str, query: str, host: str, text: str) -> bytes:
    body = text.encode()
    head = (
        f"POST {path}{'?' + query if query else ''} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: certlife\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def _answer(connection: ssl.SSLSocket, request: bytes, deadline: float) -> int:
    """The status of the answer to a request. Raises OSError, NotDelivered."""
    connection.settimeout(_left(deadline))
    connection.sendall(request)
    line = b""
    while b"\n" not in line and len(line) < ANSWER_BYTES:
        connection.settimeout(_left(deadline))
        more = connection.recv(ANSWER_BYTES)
        if not more:
            break
        line += more
    words = line.partition(b"\n")[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise NotDelivered("what answered does not speak HTTP")
    return int(words[1])


def _left(deadline: float) -> float:
    """The seconds that are left. Raises NotDelivered."""
    left = deadline - monotonic()
    if left <= 0:
        raise NotDelivered("it took too long")
    return left
