"""Events that only a forger could have recorded, each lawful but for one thing: verify names it, by that one rule."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from lifecycle import commands as c
from lifecycle import events as e
from lifecycle.audit import lawful, lawful_smaller
from lifecycle.certificate import Certificate, fold
from lifecycle.decisions.clock import CLOCK
from lifecycle.keys import REGISTER
from lifecycle.periods import legal_day
from lifecycle.persons.person import id_of as person_id
from lifecycle.transitions import ENDED
from projections.check_streams import StreamsCheck
from tests.api.conftest import Staffed, staffed_office
from tests.api.verified import Tamperer, findings, lived, tampering
from tests.databases import Databases

SHA = "0" * 64


@pytest.fixture(scope="module")
def forger(databases: Databases, staffed: Staffed) -> Generator[Callable[[], Forger]]:
    with databases.copy_of(staffed.register) as database, staffed_office(database, staffed) as office:
        lived(office)
        with tampering(database) as tamperer:
            yield lambda: Forger(tamperer(1))


class Forger(NamedTuple):
    """Puts events at the end of the log, past every decision."""

    by: Tamperer

    @property
    def today(self) -> date:
        return legal_day(self.by.events[-1].recorded_at)  # pyright: ignore[reportArgumentType]

    def certificate(self, wanted: Callable[[Certificate], bool]) -> Certificate:
        """The first that is as wanted."""
        streams: dict[UUID, list[e.Recorded]] = {}
        for recorded in self.by.events:
            streams.setdefault(recorded.originator_id, []).append(recorded)
        folded = (
            fold(id, stream) for id, stream in streams.items() if isinstance(stream[0].fact, e.ApplicationSubmitted)
        )
        return next(certificate for certificate in folded if wanted(certificate))

    def stream_of(self, kind: type[e.Fact]) -> UUID:
        return self.by.of(kind).originator_id

    def version_of(self, stream: UUID) -> int:
        return max((each.version for each in self.by.events if each.originator_id == stream), default=0)

    def adds(self, stream: UUID, *facts: e.Fact, version: int | None = None) -> int:
        """The events stand at the end of the stream, at the last instant; answers the last one's position."""
        position, first = self.by.end(), (version or self.version_of(stream) + 1)
        for step, fact in enumerate(facts):
            self.by.do(
                "INSERT INTO certlife.events (position, originator_id, originator_version, topic, state, recorded_at) "
                "OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s, %s, %s)",
                position + 1 + step, stream, first + step, e.topic_of(fact), e.encode(fact),
                self.by.events[-1].recorded_at,
            )  # fmt: skip
        return position + len(facts)

    def stamp(self, person: str, role: Any, **more: Any) -> dict[str, Any]:
        given = {"effective_on": self.today, "by": e.By(person, role, f"forged-{person}")}
        return given | {"cause": e.Cause("request", "forged", SHA)} | more


# ---- certificates ----------------------------------------------------------------------------------------------------


def tomorrow(forger: Forger) -> int:
    id = forger.certificate(lambda _: True).id
    stamp = forger.stamp("holder", "applicant", effective_on=forger.today + timedelta(days=1))
    case = forger.version_of(id) + 1
    return forger.adds(id, e.ComplaintLodged(**stamp, case=case, grounds="no", decide_by=forger.today))


def a_stage_left_out(forger: Forger) -> int:
    id = forger.certificate(lambda found: found.status in ENDED).id
    reasons = (e.Reason("holder_request"),)
    return forger.adds(id, e.CertificateCancelled(**forger.stamp("holder", "applicant"), reasons=reasons))


def a_correction_that_breaks_the_order(forger: Forger) -> int:
    """Proposed and approved as it should be; but nobody decided on it."""
    found = forger.certificate(lambda found: found.status == "expired")
    accepted = next(each for each in found.history if isinstance(each.fact, e.ApplicationAccepted))
    change = e.Change("/effective_on", e.plain(accepted.fact.effective_on), "2020-01-01")
    command = c.Correct(target=accepted.version, reason="forged", changes=(change,))
    digest = c.digest_of(found.id, command)
    days = {"act_on": forger.today, "expires_on": forger.today}
    proposed = e.ActProposed(
        **forger.stamp("dora", "decision_maker"), act="correct", body=c.body_of(command), digest=digest, **days
    )
    signed = forger.stamp(
        "dan", "decision_maker", signed_by=("dora", "dan"), proposal=found.version + 1,
        cause=e.Cause("request", "forged too", SHA),
    )  # fmt: skip
    corrected = e.RecordCorrected(**signed, target=accepted.version, reason="forged", changes=(change,))
    return forger.adds(found.id, proposed, corrected)


def a_proposal_with_another_digest(forger: Forger) -> int:
    id = forger.certificate(lambda _: True).id
    body = {"reasons": [{"code": "mark_misused", "text": "in the file"}]}
    days = {"act_on": forger.today, "expires_on": forger.today}
    stamp = forger.stamp("dora", "decision_maker")
    return forger.adds(id, e.ActProposed(**stamp, act="suspend", body=body, digest=SHA, **days))


def nothing_owed(forger: Forger) -> int:
    id = forger.certificate(lambda found: found.status == "active").id
    stamp = forger.stamp("", "clock", by=CLOCK, cause=e.Cause("clock", forger.today.isoformat()))
    return forger.adds(id, e.SurveillanceOverdue(**stamp, due_on=forger.today))


def another_role(forger: Forger) -> int:
    id = forger.certificate(lambda _: True).id
    case = forger.version_of(id) + 1
    stamp = forger.stamp("ana", "assessor", case=case)
    return forger.adds(id, e.ComplaintLodged(**stamp, grounds="no", decide_by=forger.today))


def one_person_alone(forger: Forger) -> int:
    found = forger.certificate(lambda found: found.status == "active")
    stamp = forger.stamp("dora", "decision_maker")
    reasons = (e.Reason("mark_misused", "in the file"),)
    return forger.adds(found.id, e.CertificateSuspended(**stamp, reasons=reasons, ends_on=forger.today))


BY_LAW: dict[str, Callable[[Forger], int]] = {
    "_a_certificates": tomorrow,
    "_in_the_tables": a_stage_left_out,
    "_as_corrected": a_correction_that_breaks_the_order,
    "_as_proposed": a_proposal_with_another_digest,
    "_owed": nothing_owed,
    "held_role": another_role,
    "two_persons": one_person_alone,
}
"""What each law of a certificate's stream alone finds."""


def found(forger: Forger) -> int | None:
    finding = findings(forger.by.owner, [StreamsCheck()]).get("streams")
    return finding.position if finding else None


@pytest.mark.parametrize("law", BY_LAW)
def test_what_was_never_decided_is_found_by_its_law_alone(
    forger: Callable[[], Forger], law: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = forger()
    position = BY_LAW[law](forged)
    assert found(forged) == position
    left = tuple(each for each in lawful.LAWS if each.__name__ != law)
    assert len(left) == len(lawful.LAWS) - 1
    monkeypatch.setattr(lawful, "LAWS", left)
    assert found(forged) is None, "so without the law the test would be red"


# ---- the smaller streams ---------------------------------------------------------------------------------------------


def registered_again(forger: Forger) -> int:
    return forger.adds(person_id("ana"), e.PersonRegistered(**forger.stamp("adm", "administrator"), person="ana"))


def organisation_again(forger: Forger) -> int:
    known = forger.by.of(e.OrganisationRegistered)
    fact = e.OrganisationRegistered(
        **forger.stamp("reg", "registrar"),
        unified_code=known.fact.unified_code,
        name="x",
        address="y",  # pyright: ignore
    )
    return forger.adds(known.originator_id, fact)


def interest_of_nobody(forger: Forger) -> int:
    return forger.adds(
        person_id("nobody"),
        e.ConflictDeclared(**forger.stamp("reg", "registrar"), organisation=uuid4(), grounds="forged"),
    )


def details_of_nobody(forger: Forger) -> int:
    stamp = forger.stamp("adm", "administrator")
    return forger.adds(person_id("nobody"), e.PersonalDetailsSealed(**stamp, person="nobody", digest=SHA))


def erased_by_oneself(forger: Forger) -> int:
    stamp = forger.stamp("ana", "administrator")
    return forger.adds(person_id("ana"), e.PersonErased(**stamp, person="ana", grounds="unlawful"))


def master_key_of_a_person(forger: Forger) -> int:
    return forger.adds(person_id("ana"), e.MasterKeyChanged(**forger.stamp("adm", "administrator"), kid="forged"))


def application_in_spite_of_a_bar(forger: Forger) -> int:
    bar: Any = forger.by.of(e.BarImposed)
    stamp = forger.stamp("reg", "registrar", effective_on=bar.fact.effective_on)
    entered = e.ApplicationEntered(**stamp, certificate=uuid4(), scheme=bar.fact.scheme, kind="initial")
    return forger.adds(bar.originator_id, entered)


def no_bar_lifted(forger: Forger) -> int:
    stream = forger.stream_of(e.BarImposed)
    return forger.adds(stream, e.BarLifted(**forger.stamp("reg", "registrar"), certificate=uuid4()))


def serial_passed_over(forger: Forger) -> int:
    taken = forger.by.of(e.SerialTaken)
    stamp = forger.stamp("reg", "registrar", effective_on=taken.fact.effective_on)
    return forger.adds(taken.originator_id, e.SerialTaken(**stamp, serial=999))


def claimed_again(forger: Forger) -> int:
    claimed: Any = forger.by.of(e.NumberClaimed)
    stamp = forger.stamp("reg", "registrar")
    return forger.adds(claimed.originator_id, e.NumberClaimed(**stamp, number=claimed.fact.number, certificate=uuid4()))


def edition_changed(forger: Forger) -> int:
    known: Any = forger.by.of(e.EditionPublished)
    stamp = forger.stamp("sam", "scheme_manager")
    members = {name: getattr(known.fact, name) for name in ("scheme", "published", "digest", "text")}
    return forger.adds(known.originator_id, e.EditionPublished(**stamp, **members))


def edition_proposed_again(forger: Forger) -> int:
    known: Any = forger.by.of(e.EditionProposed)
    stamp = forger.stamp("sam", "scheme_manager")
    members = {name: getattr(known.fact, name) for name in ("scheme", "proposed", "digest", "text", "expires_on")}
    return forger.adds(known.originator_id, e.EditionProposed(**stamp, **members))


def key_issued_again(forger: Forger) -> int:
    known: Any = forger.by.of(e.KeyIssued)
    stamp = forger.stamp("founder", "administrator")
    return forger.adds(REGISTER, e.KeyIssued(**stamp, key=known.fact.key, person="ana", role="auditor"))


def key_revoked_again(forger: Forger) -> int:
    known: Any = forger.by.of(e.KeyRevoked)
    return forger.adds(REGISTER, e.KeyRevoked(**forger.stamp("founder", "administrator"), key=known.fact.key))


def another_signing_key(forger: Forger) -> int:
    stamp = forger.stamp("founder", "administrator")
    added = e.SigningKeyAdded(**stamp, purpose="ledger", kid="forged", curve="Ed25519", public_key="x")
    return forger.adds(REGISTER, added)


def no_signing_key_retired(forger: Forger) -> int:
    stamp = forger.stamp("founder", "administrator")
    return forger.adds(REGISTER, e.SigningKeyRetired(**stamp, purpose="ledger", kid="forged"))


def a_day_sealed_again(forger: Forger) -> int:
    known: Any = forger.by.of(e.TrailReadsSealed)
    stamp = forger.stamp("", "clock", by=CLOCK)
    return forger.adds(REGISTER, e.TrailReadsSealed(**stamp, day=known.fact.day, reads=0, sha256=SHA))


def completed_again(forger: Forger) -> int:
    known: Any = forger.by.of(e.RehearsalCompleted)
    stamp = forger.stamp("sam", "scheme_manager")
    members = {name: getattr(known.fact, name) for name in ("report", "report_sha256", "lines", "lines_sha256")}
    return forger.adds(known.originator_id, e.RehearsalCompleted(**stamp, **members))


def requested_again(forger: Forger) -> int:
    known: Any = forger.by.of(e.RehearsalRequested)
    stamp = forger.stamp("sam", "scheme_manager", edition=known.fact.edition)
    members = {name: getattr(known.fact, name) for name in ("scheme", "digest", "asked_on", "log_position")}
    return forger.adds(known.originator_id, e.RehearsalRequested(**stamp, **members))


def approved_by_a_third(forger: Forger) -> int:
    known: Any = forger.by.of(e.RehearsalApproved)
    stamp = forger.stamp("dina", "decision_maker", edition=known.fact.edition)
    members = {name: getattr(known.fact, name) for name in ("digest", "log_position")}
    return forger.adds(known.originator_id, e.RehearsalApproved(**stamp, **members))


def halted_afterwards(forger: Forger) -> int:
    known = forger.by.of(e.AdoptionStarted)
    stamp = forger.stamp("sam", "scheme_manager", edition=known.fact.edition)
    return forger.adds(known.originator_id, e.AdoptionHalted(**stamp, reason="forged"))


def finished_again(forger: Forger) -> int:
    known = forger.by.of(e.AdoptionStarted)
    stamp = forger.stamp("sam", "scheme_manager", edition=known.fact.edition)
    return forger.adds(known.originator_id, e.AdoptionFinished(**stamp, adopted=0, not_in_force=0, set_aside=()))


SMALLER: dict[type[e.Fact], Callable[[Forger], int]] = {
    e.PersonRegistered: registered_again,
    e.OrganisationRegistered: organisation_again,
    e.PersonalDetailsSealed: details_of_nobody,
    e.PersonErased: erased_by_oneself,
    e.MasterKeyChanged: master_key_of_a_person,
    e.ConflictDeclared: interest_of_nobody,
    e.ApplicationEntered: application_in_spite_of_a_bar,
    e.BarLifted: no_bar_lifted,
    e.SerialTaken: serial_passed_over,
    e.NumberClaimed: claimed_again,
    e.EditionPublished: edition_changed,
    e.EditionProposed: edition_proposed_again,
    e.KeyIssued: key_issued_again,
    e.KeyRevoked: key_revoked_again,
    e.SigningKeyAdded: another_signing_key,
    e.SigningKeyRetired: no_signing_key_retired,
    e.TrailReadsSealed: a_day_sealed_again,
    e.RehearsalCompleted: completed_again,
    e.RehearsalRequested: requested_again,
    e.RehearsalApproved: approved_by_a_third,
    e.AdoptionHalted: halted_afterwards,
    e.AdoptionFinished: finished_again,
}
"""A forgery of each event of a smaller stream."""


@pytest.mark.parametrize("kind", SMALLER, ids=e.topic_of)
def test_what_could_not_happen_to_a_smaller_stream_is_found_by_its_judge_alone(
    forger: Callable[[], Forger], kind: type[e.Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = forger()
    position = SMALLER[kind](forged)
    assert found(forged) == position
    monkeypatch.setitem(lawful_smaller.SMALLER, kind, lambda *_: None)
    assert found(forged) is None, "so without its judge the test would be red"


@pytest.mark.parametrize("kind", sorted(lawful_smaller.SMALLER, key=e.topic_of), ids=e.topic_of)
def test_an_event_of_a_smaller_stream_stands_in_no_certificates(
    forger: Callable[[], Forger], kind: type[e.Fact]
) -> None:
    """Where there is one such event, it is moved to the end of a certificate's stream."""
    forged = forger()
    moved = next((each for each in forged.by.events if isinstance(each.fact, kind)), None)
    if moved is None:
        pytest.skip("none was recorded")
    position = forged.adds(forged.certificate(lambda _: True).id, moved.fact)
    assert found(forged) == position


def test_a_version_left_out_is_found(forger: Callable[[], Forger]) -> None:
    forged = forger()
    found_at = forged.certificate(lambda _: True)
    stamp = forged.stamp("holder", "applicant", case=found_at.version + 2)
    lodged = e.ComplaintLodged(**stamp, grounds="no", decide_by=forged.today)
    assert found(forged) is None
    position = forged.adds(found_at.id, lodged, version=found_at.version + 2)
    assert found(forged) == position


def test_an_instant_before_the_one_before_is_found(forger: Callable[[], Forger]) -> None:
    forged = forger()
    one = forged.by.events[-1]
    forged.by.do(
        "UPDATE certlife.events SET recorded_at = recorded_at - interval '900 days' WHERE position = %s", one.position
    )
    assert found(forged) == one.position
