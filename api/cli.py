"""The command line: certlife COMMAND. Exit 0 done, 1 refused or found wanting, 2 usage."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import psycopg
import typer
from eventsourcing.persistence import PersistenceError
from pydantic import ValidationError
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from api import server
from api.demonstration.demo import YEARS, Demonstration, demonstration
from api.demonstration.generate import Progress as Generated
from api.demonstration.generate import generate as generate_lives
from api.demonstration.staff import STAFF, register_staff
from api.demonstration.walk import StepFailed
from api.evidence import command as evidence_command
from api.evidence import verify as evidence_check
from api.house import House, PresentRefused, addresses, opened, reading
from api.identity import OPERATOR
from api.key_folder import KeyFolderRefused
from api.ledger.published_folder import PublishedFolder
from api.ledger.verification import NAMES, CheckUnknown, checks, named
from api.postgres import PostgresUnavailable
from api.rehearsal import command as rehearsal_command
from api.rehearsal import replay_command, scheme_command
from api.settings import Settings
from api.terminal import Day, Unfit, at_home, console, day_option
from api.trail import audit as audit_command
from api.trail import command as trail_command
from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.documents import last_bearing
from lifecycle.errors import Refusal
from lifecycle.persons.details import Rewrapped
from lifecycle.rehearsal.lines import LineEdited
from lifecycle.rules import MalformedEdition
from lifecycle.scheduler import why
from lifecycle.scheme import EditionChanged
from lifecycle.service import Request
from lifecycle.store import migrate as migrate_store
from lifecycle.upcast import Unreadable
from projections.check import Finding, verify
from projections.check import Progress as Checked
from projections.engine import SQL as ENGINE_SQL
from projections.follower import OtherDefinition
from projections.ledger import Tree
from projections.rebuild import Progress as Made
from projections.rebuild import RebuildEnded, discard
from projections.rebuild import rebuild as made_anew
from projections.shared import HandLost

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
keys = typer.Typer(
    no_args_is_help=True,
    help="Keys of persons: add, revoke, list; those of the register: rotate-signing, rotate-master.",
)
app.add_typer(keys, name="keys")
app.add_typer(scheme_command.app, name="scheme")
app.add_typer(audit_command.app, name="audit")
app.command()(replay_command.replay)
app.command()(trail_command.trail)
app.command()(evidence_command.evidence)
app.command()(rehearsal_command.rehearse)
app.command()(rehearsal_command.adopt)

EXPECTED = (
    Refusal, PresentRefused, PostgresUnavailable, EditionChanged, StepFailed, server.AddressTaken, PersistenceError,
    KeyFolderRefused, MalformedEdition, Unreadable,
    OtherDefinition, RebuildEnded, LineEdited, HandLost,
    psycopg.OperationalError, OSError,
)  # fmt: skip


def main() -> None:
    """Runs the command line; what is refused is told in one line, with exit status 1."""
    try:
        app()
    except (*EXPECTED, Unfit) as error:
        print(f"certlife: {error}", file=sys.stderr)
        sys.exit(1)
    except ValidationError as error:
        for wrong in error.errors():
            name = "CERTLIFE_" + ".".join(map(str, wrong["loc"])).upper()
            print(f"certlife: {name}: {wrong['msg']}", file=sys.stderr)
        sys.exit(2)


# ---- running it ------------------------------------------------------------------------------------------------------


@app.command()
def migrate(
    kind: Annotated[str, typer.Option(help="production or simulation, fixed by the first run")] = "production",
) -> None:
    """Brings the database that CERTLIFE_OWNER_DATABASE_URL names to this version."""
    if kind not in ("production", "simulation"):
        raise typer.BadParameter("kind is production or simulation")
    url = Settings().owner_database_url
    if not url:
        raise Unfit("CERTLIFE_OWNER_DATABASE_URL names no database. Give the address of a PostgreSQL, as its owner.")
    applied = migrate_store(url, kind=kind)
    console.print(f"applied {', '.join(applied)}" if applied else "nothing to apply")


@app.command()
def serve(
    engine: Annotated[bool, typer.Option(help="run the projections' engine in this process")] = True,
    clock: Annotated[bool, typer.Option(help="run the clock in this process")] = True,
) -> None:
    """The HTTP service; by default with the engine and the clock in the same process."""
    settings = Settings()
    with server.listens(settings.host, settings.port) as listening, at_home(settings) as house:
        house.start(engine=engine, clock=clock)
        house.publish()
        console.print(f"certlife serves a {house.kind} register on http://{settings.host}:{settings.port}")
        if not settings.database_url:
            console.print(f"its database, for other commands: {_environment(house)}")
        server.serve(house, listening)


@app.command()
def project() -> None:
    """The projections' engine alone."""
    with at_home() as house:
        _until_stopped(house.engine.stopping)
        console.print("certlife projects")
        house.engine.run()


@app.command()
def clock() -> None:
    """The clock alone."""
    with at_home() as house:
        stopping = threading.Event()
        _until_stopped(stopping)
        house.start(engine=False, clock=True)
        console.print("certlife keeps the clock")
        stopping.wait()


@app.command()
def tick(
    on: Day = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="tell what would be recorded, and why")] = False,
) -> None:
    """One round of the clock by hand, for all that is due by a day (today if left out)."""
    with at_home() as house:
        house.catch_up()
        done = house.tick(day_option(on) or house.today(), dry_run=dry_run)
        for certificate_id, fact in done.recorded:
            number = house.register.certificate(certificate_id).label
            console.print(f"{fact.effective_on}  {number}  {e.topic_of(fact)}  {why(fact)}")
        for certificate_id, problem in done.failed:
            console.print(f"passed over {certificate_id}: {problem}")
        console.print(f"{'would record' if dry_run else 'recorded'} {len(done.recorded)} facts by {done.on}")
        if done.failed:
            raise typer.Exit(1)


# ---- asking ----------------------------------------------------------------------------------------------------------


@app.command()
def status(number: str, on: Day = None) -> None:
    """The public status of a certificate number."""
    with at_home() as house:
        told = house.status.status(number, None, day_option(on), None)
        for name, value in msgspec.json.decode(told.written.body).items():
            if value is not None:
                console.print(f"{name:22} {value}")


@app.command()
def document(
    number: str,
    out: Annotated[Path, typer.Option("-o", "--out", help="the file to write")],
    version: Annotated[int | None, typer.Option(help="a version of the document; else the last that bears it")] = None,
    original: Annotated[bool, typer.Option("--original", help="unmarked, whatever stands of it")] = False,
) -> None:
    """The document of a certificate number as a PDF, marked with what stands of it today."""
    with at_home() as house:
        for signer in house.publishing.signers:
            signer.begin()
        certificate = house.register.certificate_numbered(number)
        fetch = house.documents.original if original else house.documents.current
        given = fetch(OPERATOR, certificate.id, version or last_bearing(certificate, number))
        out.write_bytes(given.content)
        console.print(f"{out}: {len(given.content)} bytes, {given.headers['Document-Standing']}")


@app.command()
def lag() -> None:
    """How far each projection has come, and what is set aside."""
    with at_home() as house, house.register.recorder.connection() as connection:
        last = house.register.recorder.max_notification_id() or 0
        behind = 0
        for name, position, complete_until in connection.execute(ENGINE_SQL["select_positions"]).fetchall():
            behind = max(behind, last - position)
            console.print(f"{name:12} position {position} of {last}, complete until {complete_until}")
        size, position = Tree(connection).end()
        behind = max(behind, last - position)
        console.print(f"{'ledger':12} position {position} of {last}, {size} events")
        quarantined = connection.execute(ENGINE_SQL["select_quarantine"]).fetchall()
        for name, certificate_id, position, problem in quarantined:
            console.print(f"{name:12} set aside {certificate_id} at position {position}: {problem}")
        if behind or quarantined:
            raise typer.Exit(1)


@app.command()
def rebuild(
    name: Annotated[str, typer.Argument(help="register, deadlines or trail")],
    anew: Annotated[bool, typer.Option("--anew", help="do not go on with what an earlier run left")] = False,
) -> None:
    """A projection made again from the whole log; the old rows serve until the new ones are complete.

    Stopped with Ctrl-C, it goes on where it stood when it is asked again.
    """
    with at_home() as house:
        projections = {projection.name: projection for projection in house.engine.projections}
        if name not in projections:
            raise typer.BadParameter(f"no projection {name}; there are {', '.join(projections)}")
        if anew:
            discard(house.addresses.engine, projections[name])
        try:
            _show_rebuild(name, made_anew(house.addresses.engine, projections[name], os.cpu_count() or 1))
        except KeyboardInterrupt:
            raise Unfit(f"stopped; `certlife rebuild {name}` goes on where it stood") from None


@app.command("verify")
def verify_register(
    bundle: Annotated[
        Path | None, typer.Argument(help="check this bundle of evidence, offline, and no register")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help=f"this check alone: {', '.join(NAMES)}")] = None,
    key: Annotated[list[str] | None, typer.Option(help="believe this key of the ledger alone, NAME+ID+KEY")] = None,
    checkpoint: Annotated[list[Path] | None, typer.Option(help="a checkpoint kept elsewhere")] = None,
    consistency: Annotated[list[Path] | None, typer.Option(help="GET /ledger/consistency, saved; for a bundle")] = None,
) -> None:
    """Everything derived from the events again and compared, nothing that is stored being believed.

    The ledger against its checkpoints (in the database, in the folder, given), every stream against the rules, the
    read models, the receipts, and what stands in other tables against the events. Names the first position at which
    something was changed. Changes nothing; works beside the service.

    Of a BUNDLE of evidence instead what the verify.py in it says, offline: exit 0 verified, 1 refused, 3 consistent
    with itself, for want of a key and a checkpoint from elsewhere.
    """
    if bundle is not None:
        given = {"--key": key, "--checkpoint": checkpoint, "--consistency": consistency}
        options = [f"{name}={value}" for name, values in given.items() for value in values or ()]
        raise typer.Exit(evidence_check.main([*options, "--", str(bundle)]))
    settings = Settings()
    folder = PublishedFolder(settings.ledger_folder) if settings.ledger_folder else None
    try:
        wanted = named(only or [])
    except CheckUnknown as unknown:
        raise typer.BadParameter(str(unknown)) from None
    with addresses(settings) as where, reading(where) as connection:
        asked = [check for check in checks(connection, folder, key or [], checkpoint or []) if check.name in wanted]
        found = _show_checks(verify(where.service, asked, os.cpu_count() or 1))
    if found:
        if first := min((each for each in found if each), default=0):
            console.print(f"The first bad position is {first}.  首个有问题的位置：{first}。")
        raise typer.Exit(1)
    console.print("Nothing was changed.  未发现改动。")


# ---- keys ------------------------------------------------------------------------------------------------------------


@keys.command("add")
def keys_add(
    person: str,
    role: Annotated[str, typer.Argument(help=", ".join(sorted(set(STAFF.values()) | {"applicant"})))],
    organisation: Annotated[str | None, typer.Option(help="an applicant's organisation_id")] = None,
    by: Annotated[str, typer.Option(help="the person who issues it")] = "operator",
) -> None:
    """A new key for a person in a role; its secret is shown this once. A person not yet known is registered."""
    body = {"person": person, "role": role} | ({"organisation": organisation} if organisation else {})
    command = c.read(c.IssueKey, body)
    if (command.role == "applicant") != (command.organisation is not None):
        raise Unfit("an applicant's key, and no other, names its organisation: --organisation ID")
    operator = e.By(by, "administrator", "command-line")
    with at_home() as house:
        if not house.register.person(person).version:
            request = Request(operator, f"person-{person}", "00" * 32)
            house.register.register_person(request, c.RegisterPerson(person=person))
        key, secret = house.register.issue_key(operator, command)
        console.print(f"{key}  {person}  {role}\n{secret}")


@keys.command("revoke")
def keys_revoke(
    key: str, reason: str = "", by: Annotated[str, typer.Option(help="the person who revokes it")] = "operator"
) -> None:
    """The key opens nothing any more."""
    with at_home() as house:
        house.register.revoke_key(e.By(by, "administrator", "command-line"), key, c.RevokeKey(reason=reason))
        console.print(f"{key} revoked")


@keys.command("list")
def keys_list() -> None:
    """Every key with its person and role."""
    with at_home() as house:
        issued = house.register.recorder.keys()
        for key in issued:
            state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "in force"
            console.print(f"{key.key}  {key.person}  {key.role}  {key.organisation or '-'}  {state}")


@keys.command("rotate-signing")
def keys_rotate_signing(
    purpose: Annotated[str, typer.Option(help="status (answers and lists), document, evidence or ledger")] = "status",
    reason: str = "",
    by: Annotated[str, typer.Option(help="the person who has it changed")] = "operator",
) -> None:
    """A new key signs answers and status lists, documents or checkpoints; what the old ones signed still verifies.

    Run it as the service's account, on the machine with its folder of keys. Services at work notice within seconds.
    """
    with at_home() as house:
        signers = {signer.purpose: signer for signer in (*house.publishing.signers, house.checkpoints.signer)}
        if purpose not in signers:
            raise typer.BadParameter(f"purpose is {' or '.join(signers)}")
        kid = signers[purpose].rotate(e.By(by, "administrator", "command-line"), reason)
        console.print(f"{kid} signs from now on")


@keys.command("rotate-master")
def keys_rotate_master(
    reason: str = "", by: Annotated[str, typer.Option(help="the person who has it changed")] = "operator"
) -> None:
    """A new master key wraps the keys of persons; names, contacts and everything else stay as they are.

    Run it as the service's account, with its folder of keys, and again if it is stopped. Old master keys stay in the
    folder: dumps made before open with them, and with nothing else.
    """
    with at_home() as house:
        personal = house.persons.personal
        operator, before = e.By(by, "administrator", "command-line"), house.register.recorder.master_key()
        kid = personal.change_master_key(operator, reason, instead_of=before)
        console.print(f"{kid} wraps the keys of persons from now on  此后由它封装人员密钥")
        done, broken = _show_rewrapped(personal.rewrap())
        console.print(f"{done} wrapped anew  已重新封装")
        if broken:
            raise Unfit("what is kept of these persons does not open, and was left as it is  以下人员的资料无法解密，"
                        f"保持原状: {', '.join(broken)}")  # fmt: skip
        if before is not None:
            console.print(f"{before} wraps nothing here any more; dumps made before now open with it alone  "
                          "它在此不再封装任何密钥；此前的备份只能用它打开")  # fmt: skip


def _show_rewrapped(progress: Iterable[Rewrapped]) -> tuple[int, list[str]]:
    """How many keys were wrapped anew, told a line each thousand, and the persons whose key did not open."""
    done, broken = 0, []
    for each in progress:
        done = each.done
        if each.broken is not None:
            broken.append(each.broken)
        elif done % 1_000 == 0:
            console.print(f"{done} wrapped anew")
    return done, broken


# ---- generated data and the demonstration ----------------------------------------------------------------------------


@app.command()
def generate(
    certificates: Annotated[int, typer.Option(min=1, max=1_000_000)] = 300,
    seed: int = 1,
) -> None:
    """Lives of many certificates over the five years before now, through the service; on an empty simulation only."""
    settings = Settings()
    now = settings.starts_at or datetime.now(UTC)
    begin = now - timedelta(days=365 * YEARS + 1)
    with addresses(settings) as where, opened(where, settings.model_copy(update={"now": begin})) as house:
        if house.register.person("registrar").version:
            raise Unfit("generate works on an empty simulation, and this one has certificates already")
        register_staff(house.register)
        _show(generate_lives(house, certificates, seed, now))


@app.command()
def demo(
    check: Annotated[
        bool, typer.Option("--check", help="walk one certificate through its life over HTTP, then end")
    ] = False,
    certificates: Annotated[int, typer.Option(min=1, max=100_000)] = 300,
    seed: int = 1,
) -> None:
    """A database of its own, generated certificates, the service, and where to look."""
    settings = Settings()
    if check and "port" not in settings.model_fields_set:
        settings = settings.model_copy(update={"port": 0})
    console.print("certlife demo: starting a PostgreSQL of its own  正在启动自带的 PostgreSQL …")
    with demonstration(settings, certificates, seed) as running:
        _where_to_look(running, running.first_numbers())
        _show(running.fill())
        _rehearsal(running)
        if check:
            _walk(running)
            return
        running.house.start(engine=False, clock=True)
        console.print(
            f"\nThe present is {running.house.today()}, and time runs on. Stop with Ctrl-C.  按 Ctrl-C 结束。"
        )
        stopping = threading.Event()
        _until_stopped(stopping)
        stopping.wait()


def _environment(house: House) -> str:
    """What names the register of this process to another."""
    return (
        f"CERTLIFE_DATABASE_URL='{house.addresses.service}' CERTLIFE_ENGINE_DATABASE_URL='{house.addresses.engine}' "
        f"CERTLIFE_KEYS='{house.settings.keys_folder.absolute()}'"
    )


def _where_to_look(running: Demonstration, numbers: list[str]) -> None:
    url, secrets = running.client.url, running.client.secrets
    console.print("\nKeys, one person each  密钥（每人一个）")
    for person, secret in secrets.items():
        console.print(f"  {STAFF[person]:15} {person:15} {secret}")
    console.print(
        f"\nFor other commands, such as certlife trail  供其他命令使用\n  export {_environment(running.house)}"
    )
    console.print("\nTo open or call  可访问的地址")
    console.print(f"  {url}/verify")
    console.print(f"  {url}/docs")
    console.print(f"  {url}/readyz")
    for number in numbers:
        console.print(f"  curl {url}/status/{number}")
        console.print(f"  curl '{url}/status/{number}?on={running.house.today()}'")
    bearer = f"-H 'Authorization: Bearer {secrets['auditor']}'"
    console.print(f"  curl {bearer} '{url}/certificates?status=active&limit=5'")
    console.print(f"  curl {bearer} '{url}/deadlines?by={running.now.date().replace(year=running.now.year + 1)}'\n")


def _rehearsal(running: Demonstration) -> None:
    console.print("\nRehearsal of a made-up edition: 95 becomes 93, four stars every 18 months")
    console.print("演练一个虚构的版本：五星由 95 分改为 93 分，四星每 18 个月监督一次")
    for line in running.rehearsal():
        console.print(f"  {line}", markup=False)


def _walk(running: Demonstration) -> None:
    console.print("\nOne certificate's whole life over HTTP  一张证书的完整生命周期")
    for number, step in enumerate(running.walk(), 1):
        events = ", ".join(step.events)
        console.print(f"  {number:2}  {step.on}  {step.status:9}  {step.zh}  {step.en}\n{'':17}{events}")
    console.print("\nEvery step led where it must.  全部步骤通过。")


def _show_rebuild(name: str, progress: Iterator[Made]) -> None:
    """A bar with the rate and the time left on a terminal, a plain line at each change otherwise."""
    began, first, told = time.monotonic(), None, None
    with _bar() as bar:
        task = bar.add_task(name, total=1.0)
        for each in progress:
            first = each if first is None else first
            rate = (each.facts - first.facts) / max(0.1, time.monotonic() - began)
            line = f"{name}: {each.doing}, {each.facts} facts  {rate:.0f}/s"
            bar.update(task, completed=each.done / each.parts, description=line)
            if not console.is_terminal and (each.doing, each.done) != told:
                console.print(f"{line}  {each.done / each.parts:.0%}{_left(first, each, time.monotonic() - began)}")
            told = each.doing, each.done


def _left(first: Made, last: Made, seconds: float) -> str:
    """How long the parts that are left take, once some have been read."""
    done = last.done - first.done
    return f"  {seconds * (last.parts - last.done) / done:.0f} s left" if done else ""


def _bar() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _show(progress: Iterator[Generated]) -> None:
    """A bar with the rate and the time left on a terminal, plain lines otherwise."""
    if not console.is_terminal:
        for count, each in enumerate(progress):
            if count % 26 == 0:
                console.print(f"{each.day}  {each.facts} facts  {each.share:.0%}")
        return
    with _bar() as bar:
        task = bar.add_task("filling the register", total=1.0)
        for each in progress:
            rate = each.facts / max(0.1, bar.tasks[0].elapsed or 0.1)
            bar.update(task, completed=each.share, description=f"{each.day}  {each.facts} facts  {rate:.0f}/s")


def _show_checks(said: Iterable[Checked | Finding]) -> list[int]:
    """Progress as it comes, and what was found in both languages; answers at which positions."""
    found, told = [], 0.0
    began: dict[str, float] = {}
    for each in said:
        if isinstance(each, Finding):
            found.append(each.position)
            console.print(f"{each.message('en')}\n{each.message('zh')}", markup=False)
            continue
        began.setdefault(each.check, time.monotonic())
        if each.done == each.total or time.monotonic() - told > 1:
            told = time.monotonic()
            rate = each.done / max(0.001, told - began[each.check])
            left = (each.total - each.done) / max(1.0, rate)
            console.print(f"{each.check}: {each.done} of {each.total} events  {rate:.0f}/s  {left:.0f} s left")
            if each.open:
                console.print(f"{each.check}: {each.open} events are not covered yet  尚未覆盖 {each.open} 个事件")
    return found


def _until_stopped(stopping: threading.Event) -> None:
    """A signal to end sets the event; what runs ends in order."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stopping.set())
