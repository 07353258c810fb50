"""The HTTP server: uvicorn, in the foreground or in a thread of its own."""

import gc
import os
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn

from api.bounded import BoundedProtocol
from api.house import House
from api.main import application


def configuration(house: House) -> uvicorn.Config:
    """One worker; idle connections are closed after five seconds, and heads of requests come in time (``bounded``)."""
    return uvicorn.Config(
        application(house), http=BoundedProtocol, log_level="error", access_log=False, timeout_keep_alive=5,
        server_header=False, date_header=True, proxy_headers=False, timeout_graceful_shutdown=5,
    )  # fmt: skip


class AddressTaken(Exception):
    """Nothing can listen there; the message says what would be accepted."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        super().__init__(f"Cannot listen on {host}:{port}: {problem}. CERTLIFE_HOST and CERTLIFE_PORT name another.")


def serve(house: House, listening: socket.socket) -> None:
    """Serves until stopped by a signal."""
    server = uvicorn.Server(configuration(house))
    _leave_what_stays_alone()
    server.run([listening])


def _leave_what_stays_alone() -> None:
    """The garbage collector passes over what lives as long as the process, and comes less often.

    A fifth of an answer's cost, and most of its longest delays, would otherwise be walks through the application.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@contextmanager
def listens(host: str, port: int) -> Generator[socket.socket]:
    """A socket that takes connections from now on: who calls before the server is ready waits, and is not turned away.

    Port 0 takes a free one. Raises AddressTaken.
    """
    try:
        listening = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise AddressTaken(host, port, os.strerror(error.errno or 0)) from None
    with listening:
        yield listening


@contextmanager
def served(house: House, host: str, port: int) -> Generator[str]:
    """The address of a server that runs in a thread. Raises AddressTaken."""
    with listens(host, port) as listening:
        server = uvicorn.Server(configuration(house))
        thread = threading.Thread(target=server.run, args=([listening],), name="http", daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
