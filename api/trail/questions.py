"""The trail for those who ask: pages, one event with its chain, what changed between two moments, exports.

Whoever asks is recorded, before the answer leaves.
"""

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from api.cursor import Cursor
from api.identity import Identity, require
from api.lookup import Questions, require_own
from api.problems import EventUnknown
from api.trail import forms as trail_forms
from api.trail.forms import Format
from api.trail.views import SHOWN_TO_HOLDER, changes_for_holder, told_for_holder
from api.views import event_view
from lifecycle import events as e
from lifecycle.certificate import Certificate, fold
from lifecycle.rules import Edition
from lifecycle.store import Recorder
from lifecycle.trail_reads import TrailReads
from projections import trail_questions
from projections.changes import as_json, between
from projections.engine import standing
from projections.told import cause_text
from projections.trail_questions import Asked, Found, Relation

EXPORTED_AT_ONCE = 1_000
BEFORE_ALL = datetime(1900, 1, 1, tzinfo=UTC)
AFTER_ALL = datetime(9999, 12, 31, tzinfo=UTC)


class Trail:
    """Answers from the trail, as bytes."""

    def __init__(self, questions: Questions) -> None:
        self.questions = questions
        self.register = questions.register
        self.recorder: Recorder = self.register.recorder  # pyright: ignore[reportAttributeAccessIssue]
        self.reads = TrailReads(self.recorder)

    def page(self, identity: Identity, asked: Asked, cursor: str | None, limit: int) -> bytes:
        """A page of the events that are wanted, oldest first, and where the next begins."""
        wanted = _within(identity, asked)
        (after,) = Cursor.read(cursor, (0,))
        with self.recorder.connection() as connection:
            found = trail_questions.page(connection, wanted, after=after, limit=limit, topics=_topics(identity))
        self._record(identity, "page", wanted, len(found), after=after)
        following = Cursor.write((found[-1].position,)) if len(found) == limit else None
        items = b",".join([self._told(identity, each) for each in found])
        return b'{"items":[' + items + b'],"next":' + msgspec.json.encode(following) + b"}"

    def event(self, identity: Identity, position: int) -> bytes:
        """One event as it was recorded, what it came from and what it led to. Raises EventUnknown."""
        with self.recorder.connection() as connection:
            found = trail_questions.event(connection, position)
            if found is None or not _may_see(identity, told := msgspec.json.decode(found.told)):
                raise EventUnknown(position=position)
            causes, effects = trail_questions.chain(connection, position)
            full = identity.role != "applicant"
            run = self._run(connection, told) if full else {}
            related = {relation.position for relation in (*causes, *effects)}
            shown = {each.position: each for each in trail_questions.events(connection, related)}
        self._record(identity, "event", {"position": position}, 1 + len(shown))
        answer = {
            "event": msgspec.Raw(self._told(identity, found)),
            "fact": self._fact(told, full=full),
            "causes": self._chain(identity, causes, shown),
            "effects": self._chain(identity, effects, shown),
            **run,
        }
        return msgspec.json.encode(answer)

    def changes(
        self, identity: Identity, certificate_id: UUID, earlier: datetime | None, later: datetime | None
    ) -> bytes:
        """What was known of the certificate before one instant and before another, where the two differ, and what was
        recorded from the one on until the other; from the beginning, or until now. Raises CertificateUnknown, and
        ProjectionLate while the trail does not tell yet what the certificate's stream holds."""
        before, until = earlier or BEFORE_ALL, later or AFTER_ALL
        certificate = self.register.certificate(certificate_id)
        require_own(identity, certificate_id, certificate.organisation)
        changed = between(_known(certificate, before), _known(certificate, until))
        positions = [each.position or 0 for each in certificate.history if before <= _recorded_at(each) < until]
        self.questions.await_position(max(positions, default=None), "trail")
        with self.recorder.connection() as connection:
            found = trail_questions.events(connection, positions)
        asked = {"certificate": certificate_id, "from": earlier, "to": later}
        self._record(identity, "changes", asked, len(found))
        if identity.role == "applicant":
            changed = changes_for_holder(changed)
            found = [each for each in found if _may_see(identity, msgspec.json.decode(each.told))]
        told = [msgspec.Raw(self._told(identity, each)) for each in found]
        now = self.questions.now()  # what will be known later nobody knows
        shown = {"from": before, "to": min(later or now, now)}
        answer = {**shown, "changed": msgspec.Raw(as_json(changed)), "events": told}
        return msgspec.json.encode(answer)

    def export(self, identity: Identity, asked: Asked, form: Format) -> Generator[bytes]:
        """Every event that is wanted and recorded by now, in that form, piece by piece; memory stays flat.

        That it begins is recorded before the first byte, and at its end, also where the caller goes away, how many
        events were given at most.
        """
        wanted = _within(identity, asked)
        with self.recorder.connection() as connection:
            upto = standing(connection, "trail", 0, seconds=0)
        self._record(identity, form, wanted, None)
        return self._exported(identity, wanted, form, upto)

    def _exported(self, identity: Identity, wanted: Asked, form: Format, upto: int) -> Generator[bytes]:
        after, count = 0, 0
        try:
            yield trail_forms.head(form)
            while True:
                with self.recorder.connection() as connection:
                    found = trail_questions.page(
                        connection, wanted, after=after, limit=EXPORTED_AT_ONCE, upto=upto, topics=_topics(identity)
                    )
                count += len(found)
                yield b"".join(trail_forms.written(form, self._told(identity, each)) for each in found)
                if len(found) < EXPORTED_AT_ONCE:
                    return
                after = found[-1].position
        finally:
            self._record(identity, form, wanted, count)

    def _told(self, identity: Identity, found: Found) -> bytes:
        """The event, with the clauses of its grounds; to a holder without persons and internal reasons."""
        told = found.told if identity.role != "applicant" else told_for_holder(found.told)
        return told[:-1] + b',"clauses":' + self._clauses(found) + b"}"

    def _clauses(self, found: Found) -> bytes:
        if not found.codes:
            return b"{}"
        edition = self.register.editions.get(found.edition or "")
        return msgspec.json.encode(_clauses_of(edition, found.codes.split(",")) if edition else {})

    def _fact(self, told: dict[str, Any], *, full: bool) -> dict[str, Any] | None:
        """The event as it was recorded; None where it cannot be read."""
        if told["by"] is None:
            return None
        stored = self.register.events.get(UUID(told["stream"]), gt=told["version"] - 1, lte=told["version"])
        return event_view(next(iter(stored)), full=full)  # pyright: ignore[reportArgumentType]

    def _run(self, connection: Any, told: dict[str, Any]) -> dict[str, Any]:
        """The receipt of the request that caused the event, or how much else the same cause recorded."""
        if told["cause"] is None:
            return {"receipt": None, "same_cause": 0}
        cause = e.Cause(**told["cause"])
        person = told["by"]["person"]
        kept = trail_questions.receipt(connection, person, cause.id) if cause.kind == "request" else None
        same = trail_questions.count_of_cause(connection, person, cause_text(cause))
        return {"receipt": kept, "same_cause": same}

    def _chain(self, identity: Identity, relations: list[Relation], shown: dict[int, Found]) -> list[dict[str, Any]]:
        visible = {
            position for position, each in shown.items()
            if identity.role != "applicant" or _may_see(identity, msgspec.json.decode(each.told))
        }  # fmt: skip
        return [
            {"link": link, "of": of, "event": msgspec.Raw(self._told(identity, shown[position]))}
            for position, link, of in relations
            if position in visible
        ]

    def _record(self, identity: Identity, kind: str, asked: Any, rows: int | None, **more: Any) -> None:
        self.questions.record_read(identity.by, {"kind": kind, **msgspec.to_builtins(asked), **more}, rows)


def _within(identity: Identity, asked: Asked) -> Asked:
    """What is wanted, of a holder its own alone. Raises RoleNotAllowed for a question about what it is not shown."""
    if identity.role != "applicant":
        return asked
    if asked.person is not None or asked.cause is not None or asked.proposal is not None:
        require(identity, frozenset(), "ask the trail by person, cause or proposal")
    if asked.organisation is not None and asked.organisation != identity.organisation:
        return msgspec.structs.replace(asked, organisation=UUID(int=0))
    return msgspec.structs.replace(asked, organisation=identity.organisation)


def _topics(identity: Identity) -> list[str] | None:
    return sorted(SHOWN_TO_HOLDER) if identity.role == "applicant" else None


def _may_see(identity: Identity, told: dict[str, Any]) -> bool:
    own = told["organisation"] == str(identity.organisation) and told["type"] in SHOWN_TO_HOLDER
    return own or identity.role != "applicant"


def _known(certificate: Certificate, before: datetime) -> Certificate:
    return fold(certificate.id, [each for each in certificate.history if _recorded_at(each) < before])


def _recorded_at(recorded: e.Recorded) -> datetime:
    """When it was recorded: whatever was read from the log has an instant."""
    return recorded.recorded_at or BEFORE_ALL


def _clauses_of(edition: Edition, codes: list[str]) -> dict[str, str]:
    """The clause behind each ground that the edition lists; "assumed" where no source states it."""
    listed = {code: each for reasons in edition.reasons_by_act.values() for code, each in reasons.items()}
    return {code: listed[code].clause or "assumed" for code in codes if code in listed}
