"""The dispute bundle of a certificate: what a third person checks without believing the register (``verify``).

It has the certificate's events to the byte, those that they rest on, and the proof of each against one signed
checkpoint; what follows from them, told; the documents; and the program that checks it all. Whoever fetches it is
recorded, as a reader of the trail is.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple, cast
from uuid import UUID

import msgspec
from psycopg import Connection

from api.evidence.container import VERIFIER, Container, verifier
from api.evidence.page import About
from api.evidence.told import Told
from api.evidence.views import event_line
from api.identity import Identity, require
from api.ledger.checkpoints import Checkpoints, raw
from api.lookup import Questions, require_own
from api.printing.documents import EXAMPLE, Documents
from api.signing import Signer
from lifecycle import events as e
from lifecycle import upcast
from lifecycle.certificate import Certificate
from lifecycle.errors import Refusal
from lifecycle.evidence.grounds import Ground, grounds, signing_keys
from lifecycle.persons.details import ENTITLED, Personal
from lifecycle.signing_keys import SigningKey
from lifecycle.trail_reads import TrailReads
from projections.checkpoints import DATABASE, Note, last_note
from projections.ledger import Event
from projections.note import VerifierKey, read
from projections.proven import FOR_EVER, Proven, events_of, first_covering, proven

PURPOSE = "evidence"
PURPOSES = ("ledger", PURPOSE)
MEMORY = 8 << 20
"""Bundles up to this size are made in memory, others in a file that has no name."""
PAUSE_SECONDS = 0.25

_lines = msgspec.json.Encoder().encode_lines


class CheckpointPending(Refusal):
    code = "checkpoint_pending"
    kind = "unavailable"
    en = (
        "No checkpoint of the ledger covers {certificate} yet: its last event is at position {position}, the last "
        "checkpoint ends at {covered}. Ask again in {retry_after} seconds."
    )
    zh = (
        "台账检查点尚未覆盖 {certificate}：其最后事件位于 {position}，最近的检查点止于 {covered}。"
        "请在 {retry_after} 秒后重试。"
    )


class EvidenceKeyMissing(Refusal):
    code = "evidence_key_missing"
    kind = "unavailable"
    en = "This process has no key to sign bundles of evidence with at the moment, so none can be made."
    zh = "本进程目前没有用于证据包的签名密钥，无法制作证据包。"


Naming = Callable[[Iterable[str]], Mapping[str, str]]
"""Of persons by pseudonym their names."""


def nobody(persons: Iterable[str]) -> Mapping[str, str]:
    """Nobody is named."""
    return {}


class Bundle(NamedTuple):
    """A finished bundle, to be read from its beginning and closed."""

    file: IO[bytes]
    size: int
    events: int
    name: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Bundles of a register, signed by a key of their own; ``reading`` gives connections that may take their time."""

    questions: Questions
    checkpoints: Checkpoints
    documents: Documents
    personal: Personal
    signer: Signer
    reading: Callable[[], AbstractContextManager[Connection]]

    def bundle(
        self, identity: Identity, certificate_id: UUID, naming: Naming = nobody, *, patience_seconds: float = 1.0
    ) -> Bundle:
        """The bundle as of the last checkpoint, which covers the certificate's last event; that it is made is recorded.

        Raises CertificateUnknown, CheckpointPending, EvidenceKeyMissing, EvidenceTooLarge, LedgerDoubted.
        """
        register = self.questions.register
        certificate = register.certificate(certificate_id)
        require_own(identity, certificate_id, certificate.organisation)
        key = self._key()
        note = self._covering(certificate, patience_seconds)
        with self.reading() as connection:
            made = self._made(connection, identity, certificate, note, key, naming)
        asked = msgspec.json.encode({"kind": PURPOSE, "certificate": certificate_id, "checkpoint": note.size}).decode()
        TrailReads(register.recorder).record(identity.by, asked, made.events, register.clock.instant())
        return made

    def naming(self, identity: Identity, certificate_id: UUID) -> Naming:
        """Who the persons of a bundle are, told to whoever may read it, which is recorded. Raises RoleNotAllowed."""
        require(identity, ENTITLED, "be told who the persons are")

        def named(persons: Iterable[str]) -> dict[str, str]:
            known = self.personal.names_of(persons, identity.by, certificate=certificate_id)
            return {person: each.details.name for person, each in known.items() if each.details and each.details.name}

        return named

    # ---- what it is held to ------------------------------------------------------------------------------------------

    def _key(self) -> SigningKey:
        """The key that signs bundles, as the register's stream has it."""
        for key in self.signer.public_halves():
            if key.kid == self.signer.kid:
                return key
        raise EvidenceKeyMissing

    def _covering(self, certificate: Certificate, patience_seconds: float) -> Note:
        """A checkpoint that covers all that is recorded of the certificate, and the keys that sign; made now if it may.

        Raises CheckpointPending, LedgerDoubted.
        """
        deadline = time.monotonic() + patience_seconds
        recorder = self.questions.register.recorder
        with recorder.connection() as connection:
            added = _of_ground(connection, signing_keys(lambda key: key.purpose in PURPOSES), FOR_EVER)
        wanted = max(certificate.history[-1].position or 0, *(event[0] for event in added))
        while True:
            with recorder.connection() as connection:
                note = last_note(connection)
            if note is not None and note.position >= wanted:
                return note
            self.checkpoints.round()
            if self.checkpoints.problem is not None:
                raise self.checkpoints.problem
            if time.monotonic() >= deadline:
                retry, covered = int(self.checkpoints.pause.total_seconds()) + 1, note.position if note else 0
                raise CheckpointPending(
                    certificate=certificate.label, position=wanted, covered=covered, retry_after=retry
                )
            time.sleep(PAUSE_SECONDS)

    # ---- what is in it -----------------------------------------------------------------------------------------------

    def _made(
        self,
        connection: Connection,
        identity: Identity,
        certificate: Certificate,
        note: Note,
        key: SigningKey,
        naming: Naming,
    ) -> Bundle:
        own = [event for event in events_of(connection, certificate.id) if event[2] <= certificate.version]
        others = [
            event
            for ground in grounds(certificate, PURPOSES)
            for event in _of_ground(connection, ground, note.position)
        ]
        shown = list(proven(connection, sorted([*own, *others]), note))
        file = SpooledTemporaryFile(MEMORY)  # noqa: SIM115 - whoever is given the bundle closes it
        container = Container(cast(IO[bytes], file), certificate.label)
        container.add("events.jsonl", _lines(event_line(each, identity, certificate.id) for each in shown))
        container.add("checkpoint", note.text.encode())
        container.add("checkpoints.jsonl", _lines(self._earlier(connection, shown, certificate.id, note)))
        origin = self.checkpoints.origin(connection)
        container.add("keys", "".join(f"{each}\n" for each in _keys(shown, origin)).encode())
        told = Told(self.questions.register, identity, certificate, [_fact_of(each) for each in others])
        for name, content in told.contents(connection, self._about(note, origin)):
            if container.has_room_for(content) or not name.startswith("files/"):  # which are fetched singly too
                container.add(name, content)
        if names := naming(told.persons()):
            container.add("persons.json", msgspec.json.encode(names))
        container.add(VERIFIER, verifier())
        signed_by = VerifierKey(f"{origin}/{PURPOSE}", raw(key.public_key))
        size = container.close(self._head(identity, certificate, origin), signed_by, self.signer.sign_bytes)
        file.seek(0)
        return Bundle(cast(IO[bytes], file), size, len(shown), f"evidence-{certificate.label}.zip")

    def _earlier(
        self, connection: Connection, shown: Sequence[Proven], certificate: UUID, note: Note
    ) -> Iterator[dict[str, Any]]:
        """The checkpoints that first covered each of the certificate's events: what others may have kept."""
        indexes = [each.leaf_index for each in shown if each.event[1] == certificate]
        for each in first_covering(connection, indexes, note):
            yield {"note": each.old.text, "path": each.path}

    def _about(self, note: Note, origin: str) -> About:
        """Told as of the checkpoint, so that the same is told whenever it is made."""
        named, simulation = self.documents.issuer, self.documents.simulation
        issuer = EXAMPLE if simulation and not all(named) else named
        at = datetime.fromisoformat(read(note.text, DATABASE).instant)
        return About(at, {"zh": issuer.zh, "en": issuer.en}, origin, simulation=simulation)

    def _head(self, identity: Identity, certificate: Certificate, origin: str) -> str:
        instant = self.questions.now().astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
        whom = "holder" if identity.role == "applicant" else "staff"
        return f"certlife.evidence.v1\nregister {origin}\ncertificate {certificate.id}\nfor {whom}\ninstant {instant}\n"


def _of_ground(connection: Connection, ground: Ground, upto: int) -> list[Event]:
    found = events_of(connection, ground.stream, upto=upto, topic=ground.topic)
    return [event for event in found if ground.of(_fact_of(event))]


def _keys(shown: Sequence[Proven], origin: str) -> Iterator[VerifierKey]:
    """The keys of the ledger and of bundles, under the names by which they sign."""
    names = {"ledger": origin, PURPOSE: f"{origin}/{PURPOSE}"}
    for fact in (_fact_of(each.event) for each in shown):
        if isinstance(fact, e.SigningKeyAdded) and fact.purpose in names:
            yield VerifierKey(names[fact.purpose], raw(fact.public_key))


def _fact_of(event: Event) -> e.Fact:
    return upcast.read(event[3], event[5])
