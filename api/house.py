"""Everything that one process needs, built in one place: the register, its present, the engine, the clock.

Reading the environment and the machine's clock happens here and in ``settings`` and ``present`` alone.
"""

import os
from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
from joserfc.jwk import OctKey

from api import log
from api.evidence.bundle import PURPOSE, Evidence
from api.forms import JWT, Forms
from api.key_folder import KeyFolder
from api.ledger.checkpoints import Checkpoints
from api.ledger.https_post import Sender
from api.ledger.publication import LedgerPublication
from api.ledger.published_folder import PublishedFolder
from api.lookup import Questions
from api.master_keys import MasterKeys
from api.postgres import running
from api.present import DatabasePresent, SimulatedPresent
from api.printing.documents import Documents, Issuer
from api.printing.font import Font
from api.printing.press import Press
from api.publishing import Publishing
from api.rehearsal.runner import Runner
from api.settings import Settings
from api.signing import Signer, signed
from api.status.answers import StatusQuestions
from api.status.lists import StatusLists
from api.status.places import Places
from api.status.stars import StarsByEdition
from lifecycle import scheduler
from lifecycle.errors import DayInFuture
from lifecycle.persons.details import Personal
from lifecycle.persons.requests import Persons
from lifecycle.scheduler import Tick, tick
from lifecycle.service import Register
from lifecycle.sql import load
from lifecycle.store import Kind, migrate
from projections import deadlines
from projections.deadlines import DeadlinesProjection
from projections.engine import Engine, connect
from projections.register import RegisterProjection
from projections.trail import TrailProjection

SQL = load("house", "api")


class PresentRefused(Exception):
    """The instant of CERTLIFE_NOW cannot be this register's present."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The database, once for each role."""

    service: str
    engine: str
    owner: str | None = None


@dataclass(slots=True)
class House:
    """A register at work. ``start`` and ``stop`` are for what runs by itself: the engine and the clock."""

    addresses: Addresses
    register: Register
    present: DatabasePresent | SimulatedPresent
    kind: Kind
    engine: Engine
    questions: Questions
    status: StatusQuestions
    publishing: Publishing
    documents: Documents
    evidence: Evidence
    checkpoints: Checkpoints
    ledger_publication: LedgerPublication
    settings: Settings
    runner: Runner
    persons: Persons
    clock: object | None = None

    @property
    def simulation(self) -> bool:
        return self.kind == "simulation"

    def start(self, *, engine: bool = True, clock: bool = True) -> None:
        if engine:
            self.engine.start()
        if clock:
            self.clock = scheduler.start(self.tick_today, self.settings.tick_seconds)

    def stop(self) -> None:
        self.runner.stop()
        self.publishing.stop()
        self.checkpoints.stop()
        self.ledger_publication.stop()
        if self.clock is not None:
            self.clock.shutdown(wait=True)
        self.engine.stop()
        self.register.close()

    def publish(self) -> None:
        """What is given out signed is kept up from now on. Whether the ledger can be relied on is known already."""
        self.publishing.start()
        self.checkpoints.start()
        self.ledger_publication.start()

    def today(self) -> date:
        return self.questions.today()

    def tick_today(self) -> Tick:
        return self.tick(self.today())

    def tick(self, on: date, *, dry_run: bool = False) -> Tick:
        """One round of the clock by hand, and the reads of the trail sealed; only a dry run looks at a day to come.

        Raises DayInFuture.
        """
        if on > (today := self.today()) and not dry_run:
            raise DayInFuture(what="the tick's day", on=on, today=today)

        def due(by: date) -> Generator:
            with connect(self.addresses.engine) as connection:
                pages = list(deadlines.clock_due(connection, by))
            yield from pages

        done = tick(self.register, due, on, dry_run=dry_run)
        if not dry_run:
            self.register.seal_trail_reads()
        return done

    def reading(self) -> AbstractContextManager[psycopg.Connection]:
        """A connection that may only read, and may take its time."""
        return reading(self.addresses)

    def catch_up(self) -> None:
        """The projections stand at the end of the log: brought there by this thread, unless the engine is at work."""
        if self.engine.is_running:
            last = self.register.recorder.max_notification_id() or 0
            for follower in self.engine.followers:
                self.questions.await_position(last, follower.projection.name, seconds=60)
            return
        with connect(self.addresses.engine) as connection:
            self.engine.prepare(connection)
            self.engine.renew()
            self.engine.catch_up(connection)


@contextmanager
def reading(where: Addresses) -> Generator[psycopg.Connection]:
    """A connection that may only read, and may take its time."""
    with psycopg.connect(where.service, autocommit=True) as connection:
        connection.read_only = True
        yield connection


@contextmanager
def embedded(data: Path, kind: Kind) -> Generator[Addresses]:
    """A PostgreSQL of our own, migrated, for as long as it is needed."""
    with running(data, environ=os.environ) as server:
        owner = server.url()
        migrate(owner, kind=kind)
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(SQL["create_logins"])
        yield Addresses(server.url(user="certlife_app"), server.url(user="certlife_projector"), owner)


@contextmanager
def addresses(settings: Settings) -> Generator[Addresses]:
    """The database that the settings name, or one of our own."""
    if settings.database_url:
        yield Addresses(settings.database_url, settings.engine_url or "", settings.owner_database_url)
    else:
        with embedded(settings.data, "simulation") as own:
            yield own


@contextmanager
def opened(where: Addresses, settings: Settings) -> Generator[House]:
    """The house, its editions published, nothing running yet; everything is closed afterwards."""
    log.begin()
    with ExitStack() as stack:
        register = Register({"CERTLIFE_DATABASE_URL": where.service}, DatabasePresent())
        stack.callback(register.close)
        kind = register.recorder.register_kind()
        register.clock = present = _present(kind, settings.starts_at, register)
        register.glyphs = font = Font()
        register.open()
        stars = StarsByEdition(register.editions)
        projections = [RegisterProjection(stars), DeadlinesProjection(), TrailProjection()]
        engine = Engine(where.engine, projections, present)
        with connect(where.engine) as connection:
            engine.prepare(connection)
        questions = Questions(register)
        places, simulation = Places(settings.public_address), kind == "simulation"
        signer = Signer(register, KeyFolder(settings.keys_folder / kind / "status"), "status")
        forms = Forms({JWT: signed(signer, places.public_url)})
        status = StatusQuestions(questions, stars, simulation, forms, places)
        lists = StatusLists(register, signer, places, simulation)
        documents = Documents(
            questions,
            Signer(register, KeyFolder(settings.keys_folder / kind / "document"), "document"),
            Press(font),
            places.public_url,
            Issuer(settings.issuer_zh, settings.issuer_en),
            simulation,
        )
        ledger = _ledger(register, kind, settings)
        evidence_signer = Signer(register, KeyFolder(settings.keys_folder / kind / PURPOSE), PURPOSE)
        personal = Personal(register, MasterKeys(KeyFolder(settings.keys_folder / kind / "persons", OctKey)))
        evidence = Evidence(questions, ledger[0], documents, personal, evidence_signer, lambda: reading(where))
        publishing = Publishing(signer, lists, documents.signer, evidence_signer)
        runner = Runner(register, lambda: reading(where))
        house = House(
            where, register, present, kind, engine, questions, status, publishing, documents, evidence, *ledger,
            settings, runner, Persons(personal),
        )  # fmt: skip
        stack.callback(house.stop)
        yield house


def _ledger(register: Register, kind: Kind, settings: Settings) -> tuple[Checkpoints, LedgerPublication]:
    signer = Signer(register, KeyFolder(settings.keys_folder / kind / "ledger"), "ledger")
    folder = PublishedFolder(settings.ledger_folder) if settings.ledger_folder else None
    checkpoints = Checkpoints(register, signer, settings.public_url, folder)
    return checkpoints, LedgerPublication(checkpoints, folder, settings.ledger_addresses, Sender())


def _present(kind: Kind, starts_at: datetime | None, register: Register) -> DatabasePresent | SimulatedPresent:
    """Raises PresentRefused for CERTLIFE_NOW on a production register, or before what is recorded already."""
    if kind == "production":
        if starts_at is not None:
            raise PresentRefused("CERTLIFE_NOW is refused: this is a production register, which takes its instants "
                                 "from the database. Unset it.")  # fmt: skip
        return DatabasePresent()
    last = register.recorder.last_event()
    if starts_at is not None and last is not None and starts_at < last[1]:
        raise PresentRefused(
            f"CERTLIFE_NOW={starts_at.isoformat()} is refused: the register holds events recorded at "
            f"{last[1].astimezone(UTC).isoformat()}. Give that instant or a later one."
        )
    now = datetime.now(UTC)
    return SimulatedPresent(starts_at or (max(now, last[1]) if last else now))
