"""Servers in processes of their own while they are needed: the service over a house, and whoever it is held to."""

import os
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from time import sleep

from api.house import House

CERTLIFE = "from api.cli import main; main()"


@contextmanager
def service(house: House) -> Generator[int]:
    """``certlife serve`` with its engine, one worker, nobody refused for asking often; answers its port."""
    port = free_port()
    environment = settings_of(house) | {"CERTLIFE_PORT": str(port), "CERTLIFE_STATUS_PER_MINUTE": str(10**9)}
    with running(["-c", CERTLIFE, "serve", "--no-clock"], port, environment):
        yield port


def settings_of(house: House) -> dict[str, str]:
    """The environment of a process that works on the same register, with the same keys."""
    return {
        "CERTLIFE_DATABASE_URL": house.addresses.service,
        "CERTLIFE_ENGINE_DATABASE_URL": house.addresses.engine,
        "CERTLIFE_KEYS": str(house.settings.keys_folder),
    }


@contextmanager
def running(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Generator[None]:
    """Python at work on the command, and answering at the port. Raises RuntimeError where it ends instead."""
    process = subprocess.Popen([sys.executable, *command], env=os.environ | environment, stdout=subprocess.DEVNULL)
    try:
        _await(port, process)
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server on port {port} ended at once")
