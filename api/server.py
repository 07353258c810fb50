"""The HTTP server: uvicorn, in the foreground or in a thread of its own."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn

from api.house import House
from api.main import application


def configuration(house: House, host: str, port: int) -> uvicorn.Config:
    """One worker; idle connections are closed after five seconds, headers must come within uvicorn's limits."""
    return uvicorn.Config(
        application(house), host=host, port=port, log_level="warning", access_log=False, timeout_keep_alive=5,
        server_header=False, date_header=True, proxy_headers=False, timeout_graceful_shutdown=5,
    )  # fmt: skip


def serve(house: House, host: str, port: int) -> None:
    """Serves until stopped by a signal."""
    uvicorn.Server(configuration(house, host, port)).run()


@contextmanager
def served(house: House, host: str, port: int) -> Generator[str]:
    """The address of a server that runs in a thread; port 0 takes a free one. OSError where the port is taken."""
    config = configuration(house, host, port)
    listening = config.bind_socket()
    listening.listen(config.backlog)  # who calls before the thread is ready waits, and is not turned away
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), name="http", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
