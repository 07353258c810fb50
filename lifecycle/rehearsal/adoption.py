"""A signed rehearsal becomes facts: every certificate in force takes the edition, one transaction each.

Safe to run at any time, anywhere, any number of times: a certificate that is on the edition is passed over, and the
(id, version) key lets each take it once. A run that was killed is gone on with by the next.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from lifecycle import errors
from lifecycle import events as e
from lifecycle.certificate import Certificate, evolve
from lifecycle.decisions.adoption import Cited, NotAdopted, adopt, may_adopt
from lifecycle.decisions.clock import owed
from lifecycle.decisions.moment import Moment
from lifecycle.documents import require_printable
from lifecycle.entailed import entail
from lifecycle.history import History, history_of
from lifecycle.periods import legal_day
from lifecycle.rehearsal import lines as rehearsal_lines
from lifecycle.rehearsal.comparison import Comparing, Line
from lifecycle.rehearsal.lines import KeptLine
from lifecycle.rehearsal.narrow import TOPICS
from lifecycle.rehearsal.run import comparing, rehearsal, require_kept
from lifecycle.rehearsal.state import Rehearsal, require_adoptable
from lifecycle.rules import SerialOutOfSeries
from lifecycle.service import Register
from lifecycle.store import DayTurned, VersionConflict
from lifecycle.work import Work

TRIES = 20


LONGEST_REASON = 300
DONE = ("adopted", "already", "not_in_force")
"""Every other outcome is the reason for which a certificate was set aside."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of one certificate: "adopted" with the facts recorded, "already", "not_in_force", or why not."""

    certificate: UUID
    number: str | None
    outcome: str
    facts: tuple[e.Fact, ...] = ()

    @property
    def set_aside(self) -> str | None:
        """Why it stays as it is; None where it does not, or is no longer in force."""
        return None if self.outcome in DONE else self.outcome


@dataclass(slots=True)
class Run:
    """One run over all lines of a rehearsal; ``by`` began it."""

    register: Register
    rehearsal: Rehearsal
    comparing: Comparing
    by: e.By
    counted: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, register: Register, id: UUID, by: e.By) -> "Run":
        """Raises the refusal that stands in the way of an adoption, LineEdited."""
        found = rehearsal(register, id)
        asked = comparing(register, found)
        require_adoptable(found, asked.edition, legal_day(register.recorder.present(register.clock.instant())))
        require_kept(register, found)
        return cls(register, found, asked, by)

    @property
    def lines(self) -> int:
        """How many certificates there are to go through."""
        return self.rehearsal.completed.lines if self.rehearsal.completed else 0

    def would(self) -> Iterator[Adopted]:
        """What would become of each certificate now. Records nothing."""
        return map(self.would_be, rehearsal_lines.each(self.register.recorder, self.rehearsal.id))

    def would_be(self, kept: KeptLine) -> Adopted:
        """What would become of the line's certificate now. Records nothing."""
        return self._decided(kept)[1]

    def adopt(self) -> Iterator[Adopted]:
        """Each certificate takes the edition, until the adoption is halted, or somebody else finished it."""
        for kept in rehearsal_lines.each(self.register.recorder, self.rehearsal.id):
            if rehearsal(self.register, self.rehearsal.id).state != "adopting":
                return
            done = self._recorded(kept)
            self.counted[done.outcome] += 1
            yield done
        self._finish()

    def _recorded(self, kept: KeptLine) -> Adopted:
        """A conflict means that somebody else recorded something: it is decided again, never appended again."""
        for _ in range(TRIES):
            work, done = self._decided(kept)
            if work is None:
                return done
            try:
                now = self.register.clock.instant()
                self.register.save(*work.records, decided_on=done.facts[-1].effective_on, now=now)
            except (VersionConflict, DayTurned):
                continue
            return done
        raise errors.LostRace(certificate=kept.line.number or kept.line.certificate)

    def _decided(self, kept: KeptLine) -> tuple[Work | None, Adopted]:
        """The transaction that the certificate's adoption would be, if any, and what becomes of it."""
        try:
            certificate = self.register.certificate(kept.line.certificate)
        except errors.UnderRepair:
            return None, Adopted(kept.line.certificate, kept.line.number, "under_repair")
        number = kept.line.number
        if certificate.edition == self.comparing.edition.id:
            return None, Adopted(certificate.id, number, "already")
        try:
            work, facts = self._facts(certificate, kept)
        except NotAdopted as aside:
            return None, Adopted(certificate.id, number, aside.why)
        except SerialOutOfSeries:
            return None, Adopted(certificate.id, number, "no_number")
        outcome = "adopted" if work else "not_in_force"
        return work, Adopted(certificate.id, number, outcome, facts)

    def _facts(self, certificate: Certificate, kept: KeptLine) -> tuple[Work | None, tuple[e.Fact, ...]]:
        """The clock's facts first, as before every act. Raises NotAdopted."""
        moment = self._moment(certificate, kept)
        if not may_adopt(certificate, moment):
            return None, ()
        if not self.is_fresh(certificate, kept.line):
            raise NotAdopted("moved")
        signers = self.rehearsal.signers(certificate.id, self._barred(certificate))
        if signers is None:
            raise NotAdopted("excluded")
        stored, before = certificate.version, owed(certificate, moment.today)
        for fact in before:
            evolve(certificate, certificate.version + 1, fact)
        signed = replace(moment, signed_by=signers)
        facts = adopt(certificate, self.comparing.edition, self._cited(kept), signed)
        self._require_printable(certificate, facts)
        work = Work(certificate.id, stored)
        work.add(certificate.id, stored, [*before, *facts])
        entail(self.register, work, certificate, facts, signed)
        return work, (*before, *facts)

    def _require_printable(self, certificate: Certificate, facts: Sequence[e.Fact]) -> None:
        """Raises NotAdopted where the new level's document would show a blank."""
        try:
            require_printable(certificate, facts, self.register.editions, self.register.glyphs)
        except errors.Unprintable:
            raise NotAdopted("unprintable") from None

    def is_fresh(self, certificate: Certificate, line: Line) -> bool:
        """Does the line hold for the certificate as it stands? Judged again where its version has moved."""
        if certificate.version == line.version:
            return True
        again = self.comparing.line(_read_by_rehearsals(certificate))
        return again is not None and again.digest == line.digest

    def _moment(self, certificate: Certificate, kept: KeptLine) -> Moment:
        today = legal_day(self.register.recorder.present(self.register.clock.instant()))
        cause = e.Cause("rehearsal", str(self.rehearsal.id), kept.sha256)
        number = self._next_number(certificate.scheme, today.year)
        return Moment(today, self.by, cause, self.register.editions, number=number)

    def _next_number(self, scheme: str, year: int) -> str | None:
        """The next free number of the year; None where every level is kept, and nothing is printed."""
        said = self.comparing.edition.succession
        if said is None or said.grade_at_adoption == "kept":
            return None
        _, serial = self.register.series(scheme, year)
        return self.comparing.edition.number(year, serial + 1)

    def _barred(self, certificate: Certificate) -> frozenset[str]:
        return barred_from(self.register, certificate, {each.by.person for each in self.rehearsal.approvals})

    def _cited(self, kept: KeptLine) -> Cited:
        return Cited(self.rehearsal.id, kept.line, kept.sha256)

    def _finish(self) -> None:
        def facts(stands: Rehearsal, moment: Moment) -> list[e.Fact]:
            if stands.state != "adopting":
                return []
            aside = {why: n for why, n in self.counted.items() if why not in DONE}
            return [
                e.AdoptionFinished(
                    **moment.stamp(moment.today, edition=stands.edition),
                    adopted=self.counted["adopted"] + self.counted["already"],
                    not_in_force=self.counted["not_in_force"],
                    set_aside=tuple(e.SetAside(why, n) for why, n in sorted(aside.items())),
                )
            ]

        id = self.rehearsal.id
        self.register.add_to(lambda: rehearsal(self.register, id), facts, self.by, e.Cause("rehearsal", str(id)))


def cut_short(register: Register, id: UUID, by: e.By, problem: str) -> None:
    """An adoption under way halts, and says why; begun again, it goes on."""

    def facts(stands: Rehearsal, moment: Moment) -> list[e.Fact]:
        halted = e.AdoptionHalted(**moment.stamp(moment.today, edition=stands.edition), reason=problem[:LONGEST_REASON])
        return [halted] if stands.state == "adopting" else []

    register.add_to(lambda: rehearsal(register, id), facts, by, e.Cause("rehearsal", str(id)))


def barred_from(register: Register, certificate: Certificate, persons: Collection[str]) -> frozenset[str]:
    """Who may not decide about the certificate: who ever stood on a team of it, and who of the persons declared an
    interest in its holder."""
    served = frozenset(person for case in certificate.cases.values() for person in case.team)
    today = legal_day(register.recorder.present(register.clock.instant()))
    return served | {name for name in persons if certificate.organisation in register.person(name).conflicts_on(today)}


def _read_by_rehearsals(certificate: Certificate) -> History:
    whole = history_of(certificate.id, certificate.history)
    return whole._replace(facts=[(version, fact) for version, fact in whole.facts if e.topic_of(fact) in TOPICS])
