"""Is a stream that is no certificate's a lawful one? Its events are decided again, and come out as they stand."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from lifecycle import commands as c
from lifecycle import errors, organisation, scheme, signing_keys
from lifecycle import events as e
from lifecycle.audit.breach import Breach, NotJudged, NotLawful, breach_of
from lifecycle.audit.persons_known import Known
from lifecycle.decisions.moment import Moment
from lifecycle.errors import Refusal
from lifecycle.events import Recorded
from lifecycle.keys import REGISTER
from lifecycle.numbers import claim_id, series_id
from lifecycle.periods import legal_day
from lifecycle.persons import person
from lifecycle.rehearsal import state as rehearsal
from lifecycle.rules import load_edition, normalise_number


class Judged(NamedTuple):
    """One event of a smaller stream: what stands before it, and the moment at which it was recorded."""

    recorded: Recorded
    history: Sequence[Recorded]
    known: Known

    @property
    def before(self) -> Sequence[Recorded]:
        return self.history[: self.recorded.version - 1]

    @property
    def id(self) -> UUID:
        return self.recorded.originator_id

    @property
    def moment(self) -> Moment:
        return self.known.moment(self.recorded, ())


def breaches_of_smaller(history: Sequence[Recorded], known: Known) -> Iterator[Breach]:
    """What is not lawful about a stream that is no certificate's, in its order."""
    for recorded in history:
        judge = SMALLER.get(type(recorded.fact), _nowhere)
        try:
            judge(recorded.fact, Judged(recorded, history, known))
        except Refusal as refusal:
            yield breach_of(recorded, refusal)
        except Exception as error:
            yield breach_of(recorded, NotJudged(problem=f"{type(error).__name__}: {error}"))


def _nowhere(fact: Any, at: Judged) -> None:
    raise astray()


def _registers_organisation(fact: e.OrganisationRegistered, at: Judged) -> None:
    command = c.RegisterOrganisation(unified_code=fact.unified_code, name=fact.name, address=fact.address)
    _require_own_stream(at, organisation.id_of(fact.unified_code))
    _require_same(at, organisation.register(organisation.fold(at.id, at.before), command, at.moment))


def _enters_application(fact: e.ApplicationEntered, at: Judged) -> None:
    found = _organisation(at)
    organisation.require_no_bar(found, fact.scheme, fact.effective_on)


def _lifts_bar(fact: e.BarLifted, at: Judged) -> None:
    if fact.certificate not in _organisation(at).bars:
        raise NotLawful(problem="no bar was there to lift", problem_zh="没有可解除的禁止申请期")


def _organisation(at: Judged) -> organisation.Organisation:
    found = organisation.fold(at.id, at.before)
    if not found.version:
        raise errors.OrganisationUnknown(organisation=at.id)
    return found


def _registers_person(fact: e.PersonRegistered, at: Judged) -> None:
    _require_same(at, person.register(_person(fact.person, at), fact.person, None, at.moment))


def _gives_details(fact: e.PersonalDetailsSealed, at: Judged) -> None:
    _require_same(at, person.give_details(_person(fact.person, at), fact.person, fact.digest, at.moment))


def _erases_person(fact: e.PersonErased, at: Judged) -> None:
    command = c.ErasePerson(grounds=fact.grounds)
    _require_same(at, person.erase(_person(fact.person, at), fact.person, command, at.moment))


def _person(name: str, at: Judged) -> person.Person:
    _require_own_stream(at, person.id_of(name))
    return person.fold(at.id, at.before)


def _declares_conflict(fact: e.ConflictDeclared, at: Judged) -> None:
    command = c.DeclareConflict(organisation=fact.organisation, grounds=fact.grounds, until_on=fact.until_on)
    found = person.fold(at.id, at.before)
    _require_same(at, person.declare_conflict(found, str(at.id), command, at.moment))


def _takes_serial(fact: e.SerialTaken, at: Judged) -> None:
    schemes = {edition.scheme for edition in at.known.editions.values()}
    if at.id not in {series_id(code, fact.effective_on.year) for code in schemes}:
        raise astray()
    if fact.serial != at.recorded.version:
        raise NotLawful(
            problem=f"the next serial is {at.recorded.version}", problem_zh=f"下一序号应为 {at.recorded.version}"
        )


def _claims_number(fact: e.NumberClaimed, at: Judged) -> None:
    _require_own_stream(at, claim_id(normalise_number(fact.number)))
    if at.recorded.version > 1:
        raise NotLawful(problem="the number was claimed before", problem_zh="该编号先前已被占用")


def _proposes_edition(fact: e.EditionProposed, at: Judged) -> None:
    found = _scheme(fact.scheme, at)
    command = c.PublishEdition(text=fact.text, order=fact.order)
    _require_same(at, scheme.propose(found, command, at.moment))


def _publishes_edition(fact: e.EditionPublished, at: Judged) -> None:
    found = _scheme(fact.scheme, at)
    if fact.proposal is not None:
        _require_same(at, scheme.approve(found, fact.proposal, fact.digest, at.moment))
    else:
        shipped = load_edition(fact.text, file=fact.published)
        _require_same(at, scheme.publish(found.editions, [shipped], at.moment))


def _rejects_edition(fact: e.ProposalRejected, at: Judged) -> None:
    found = _scheme(getattr(at.history[0].fact, "scheme", ""), at)
    _require_same(at, scheme.reject(found, fact.proposal or 0, fact.reason, at.moment))


def _scheme(code: str, at: Judged) -> scheme.Scheme:
    _require_own_stream(at, scheme.id_of(code))
    return scheme.scheme_of(code, at.before)


def _requests_rehearsal(fact: e.RehearsalRequested, at: Judged) -> None:
    if at.recorded.version > 1 or fact.log_position >= (at.recorded.position or 0):
        raise astray()
    _require_same(at, rehearsal.request(at.known.editions[fact.edition or ""], fact.log_position, at.moment))


def _completes_rehearsal(fact: e.RehearsalCompleted, at: Judged) -> None:
    _require_state(at, "requested")


def _approves_rehearsal(fact: e.RehearsalApproved, at: Judged) -> None:
    """For one certificate alone only where an approval of the whole does not count."""
    found = rehearsal.rehearsal_of(at.id, at.before)
    aside = frozenset(each.by.person for each in found.approvals if each.certificate is None)
    command = c.ApproveRehearsal(digest=fact.digest, log_position=fact.log_position, certificate=fact.certificate)
    author = at.known.authors[found.edition]
    _require_same(at, rehearsal.approve(found, command, author, lambda _: aside, at.moment))


def _steps(step: str) -> Callable[[Any, Judged], None]:
    def judge(fact: e.AdoptionStarted | e.AdoptionHalted, at: Judged) -> None:
        found = rehearsal.rehearsal_of(at.id, at.before)
        command = c.read(c.Adopt, {"step": step, "reason": getattr(fact, "reason", "")})
        _require_same(at, rehearsal.step(found, command, at.known.editions[found.edition], at.moment))

    return judge


def _finishes_adoption(fact: e.AdoptionFinished, at: Judged) -> None:
    _require_state(at, "adopting")


def _of_register(fact: Any, at: Judged) -> None:
    _require_own_stream(at, REGISTER)


def _issues_key(fact: e.KeyIssued, at: Judged) -> None:
    _require_own_stream(at, REGISTER)
    if any(isinstance(each.fact, e.KeyIssued) and each.fact.key == fact.key for each in at.before):
        raise NotLawful(problem=f"{fact.key} was issued before", problem_zh=f"{fact.key} 先前已颁发")


def _revokes_key(fact: e.KeyRevoked, at: Judged) -> None:
    _require_own_stream(at, REGISTER)
    told = [type(each.fact) for each in at.before if getattr(each.fact, "key", None) == fact.key]
    if told != [e.KeyIssued]:
        raise errors.KeyUnknown(key=fact.key)


def _adds_signing_key(fact: e.SigningKeyAdded, at: Judged) -> None:
    _require_own_stream(at, REGISTER)
    known = signing_keys.SigningKeys().after(at.before)
    if fact.kid in known.by_kid or known.current(fact.purpose) is not None:
        raise NotLawful(problem="another key signs for it", problem_zh="该用途已有签名密钥")


def _retires_signing_key(fact: e.SigningKeyRetired, at: Judged) -> None:
    _require_own_stream(at, REGISTER)
    current = signing_keys.SigningKeys().after(at.before).current(fact.purpose)
    if current is None or current.kid != fact.kid:
        raise NotLawful(problem="that key does not sign", problem_zh="该密钥并未用于签名")


def _seals_reads(fact: e.TrailReadsSealed, at: Judged) -> None:
    _require_own_stream(at, REGISTER)
    sealed = [each.fact.day for each in at.before if isinstance(each.fact, e.TrailReadsSealed)]
    if fact.day >= day_of(at.recorded) or (sealed and fact.day <= sealed[-1]):
        raise NotLawful(
            problem=f"{fact.day} was sealed before, or is not over", problem_zh=f"{fact.day} 已封存或尚未结束"
        )


SMALLER: dict[type[e.Fact], Callable[[Any, Judged], None]] = {
    e.OrganisationRegistered: _registers_organisation,
    e.ApplicationEntered: _enters_application,
    e.BarImposed: lambda _, at: _organisation(at) and None,
    e.BarLifted: _lifts_bar,
    e.PersonRegistered: _registers_person,
    e.PersonalDetailsSealed: _gives_details,
    e.PersonErased: _erases_person,
    e.ConflictDeclared: _declares_conflict,
    e.SerialTaken: _takes_serial,
    e.NumberClaimed: _claims_number,
    e.EditionProposed: _proposes_edition,
    e.EditionPublished: _publishes_edition,
    e.ProposalRejected: _rejects_edition,
    e.RehearsalRequested: _requests_rehearsal,
    e.RehearsalCompleted: _completes_rehearsal,
    e.RehearsalApproved: _approves_rehearsal,
    e.AdoptionStarted: _steps("start"),
    e.AdoptionHalted: _steps("halt"),
    e.AdoptionFinished: _finishes_adoption,
    e.KeyIssued: _issues_key,
    e.KeyRevoked: _revokes_key,
    e.SigningKeyAdded: _adds_signing_key,
    e.SigningKeyRetired: _retires_signing_key,
    e.MasterKeyChanged: _of_register,
    e.TrailReadsSealed: _seals_reads,
}
"""How each event of a stream that is no certificate's is judged."""


def _require_own_stream(at: Judged, id: UUID) -> None:
    if at.id != id:
        raise astray()


def _require_state(at: Judged, state: rehearsal.State) -> None:
    if (found := rehearsal.rehearsal_of(at.id, at.before)).state != state:
        raise NotLawful(problem=f"the rehearsal was {found.state}", problem_zh=f"演练状态为 {found.state}")


def _require_same(at: Judged, decided: Sequence[e.Fact]) -> None:
    """Decided again, it comes out as it stands."""
    if list(decided) != [at.recorded.fact]:
        raise NotLawful(problem="decided again, it comes out otherwise", problem_zh="重新作出决定，结果与记录不同")


def astray() -> NotLawful:
    """It stands in a stream of another kind."""
    return NotLawful(problem="it does not belong into this stream", problem_zh="它不属于此流")


def day_of(recorded: Recorded) -> date:
    """The legal day on which it was recorded."""
    return legal_day(recorded.recorded_at) if recorded.recorded_at else recorded.fact.effective_on
