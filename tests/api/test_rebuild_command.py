"""certlife rebuild: told line by line, stopped with Ctrl-C, and gone on with."""

import os
import signal
import subprocess
import sys

from projections.follower import SQL, connect
from tests.api.life import life_at
from tests.api.office import Office

CERTLIFE = [sys.executable, "-c", "from api.cli import main; main()"]


def asked(office: Office, *arguments: str) -> subprocess.Popen[str]:
    """A process of the command line; what it says comes in one stream."""
    environ = os.environ | {
        "CERTLIFE_DATABASE_URL": office.house.addresses.service,
        "CERTLIFE_ENGINE_DATABASE_URL": office.house.addresses.engine,
        "CERTLIFE_KEYS": str(office.house.settings.keys_folder),
        "PYTHONUNBUFFERED": "1",
    }
    command = [*CERTLIFE, "rebuild", *arguments]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """With which status it ended, and the last that it said."""
    said, _ = process.communicate()
    return process.returncode, said.splitlines()[-1]


def test_a_rebuild_that_is_stopped_goes_on_where_it_stood(office: Office) -> None:
    life_at(office, "active")
    office.house.catch_up()
    with connect(office.house.addresses.engine) as connection, connection.transaction():
        connection.execute(SQL["hold_position"], {"projection": "register"})
        stopped = asked(office, "register")
        assert stopped.stdout is not None
        assert any("settling" in line for line in stopped.stdout)
        stopped.send_signal(signal.SIGINT)
        status, last = ended(stopped)
        assert (status, last) == (1, "certlife: stopped; `certlife rebuild register` goes on where it stood")
    again = asked(office, "register")
    assert again.stdout is not None
    assert "100%" in next(iter(again.stdout)), "nothing is read a second time"
    status, last = ended(again)
    assert status == 0
    assert last.startswith("register: done")


def test_a_projection_that_nobody_knows_is_refused(office: Office) -> None:
    status, _ = ended(asked(office, "everything"))
    assert status == 2
