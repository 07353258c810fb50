"""The smaller streams: bars that stand against an application, interests that keep a person out."""

from uuid import UUID

import pytest

from lifecycle import commands as c
from lifecycle import errors, keys, organisation
from lifecycle import events as e
from lifecycle.events import Recorded
from lifecycle.persons import person
from tests.lifecycle.story import CERTIFICATE, CSP, ORGANISATION, Story, around, day

CODE = "91310000MA1FL0QX9B"


def code() -> str:
    return CODE[:17] + organisation.check_character(CODE[:17])


def fold(*facts: e.Fact) -> organisation.Organisation:
    return organisation.fold(ORGANISATION, [Recorded(ORGANISATION, n, fact) for n, fact in enumerate(facts, 1)])


def registered() -> e.OrganisationRegistered:
    command = c.RegisterOrganisation(unified_code=code(), name="Example Alarm Ltd", address="1 Example Road")
    (fact,) = organisation.register(organisation.Organisation(ORGANISATION), command, Story().moment("reg"))
    return fact


def application(scheme: str = CSP, **given) -> c.SubmitApplication:
    return c.SubmitApplication(
        kind="initial", organisation=ORGANISATION, scheme=scheme, certification_type="star", holder="x", address="y",
        scope="z", **given,
    )  # fmt: skip


def barred_until(until: str) -> e.BarImposed:
    moment = Story("2024-07-15").moment("dan")
    return organisation.impose_bar(CERTIFICATE, CSP, day("2024-07-15"), day(until), moment)


# ---- organisations ---------------------------------------------------------------------------------------------------


def test_a_bar_runs_until_its_last_day_and_for_its_scheme_alone() -> None:
    assert Story().edition.bar_until(day("2024-07-15")) == day("2025-07-15"), "12 months after a withdrawal for cause"
    assert Story().edition.bar_until_after_expiry(day("2024-07-15")) is None, "none after expiry"
    found = fold(registered(), barred_until("2025-07-15"))
    for on in around("2025-07-15"):
        moment = Story().on(on).moment("holder")
        if on <= day("2025-07-15"):
            with pytest.raises(errors.Barred) as refused:
                organisation.enter_application(found, CERTIFICATE, application(), moment)
            assert refused.value.facts["until_on"] == day("2025-07-15")
        else:
            (entered,) = organisation.enter_application(found, CERTIFICATE, application(), moment)
            assert (type(entered), entered.scheme) == (e.ApplicationEntered, CSP)
        assert organisation.enter_application(found, CERTIFICATE, application("GBT-27922"), moment)


def test_a_bar_that_was_lifted_stands_no_more() -> None:
    moment = Story("2024-08-01").moment("holder")
    lifted = e.BarLifted(**moment.stamp(moment.today), certificate=CERTIFICATE)
    found = fold(registered(), barred_until("2025-07-15"), lifted)
    assert organisation.enter_application(found, CERTIFICATE, application(), moment)


def test_an_unregistered_organisation_does_not_apply() -> None:
    with pytest.raises(errors.OrganisationUnknown):
        organisation.enter_application(fold(), CERTIFICATE, application(), Story().moment("holder"))


def test_a_unified_code_is_registered_once_however_it_is_written() -> None:
    spaced = " ".join([code()[:6].lower(), code()[6:]])
    assert organisation.checked_unified_code(spaced) == code()
    assert organisation.id_of(code()) == organisation.id_of(organisation.checked_unified_code(spaced))
    command = c.RegisterOrganisation(unified_code=spaced, name="x", address="y")
    with pytest.raises(errors.OrganisationKnown):
        organisation.register(fold(registered()), command, Story().moment("reg"))


@pytest.mark.parametrize("harm", ["short", "long", "letter I", "check character"])
def test_a_unified_code_has_18_characters_and_its_check_character(harm: str) -> None:
    wrong = {
        "short": code()[:17],
        "long": code() + "0",
        "letter I": "I" + code()[1:],
        "check character": code()[:17] + ("0" if code()[17] != "0" else "1"),
    }[harm]
    with pytest.raises(errors.UnifiedCodeMalformed):
        organisation.checked_unified_code(wrong)


# ---- persons ---------------------------------------------------------------------------------------------------------


def known(*facts: e.Fact) -> person.Person:
    id = person.id_of("ana")
    return person.fold(id, [Recorded(id, n, fact) for n, fact in enumerate(facts, 1)])


def test_a_person_is_registered_once_and_before_declaring_an_interest() -> None:
    moment = Story().moment("reg")
    (fact,) = person.register(known(), "ana", None, moment)
    with pytest.raises(errors.PersonKnown):
        person.register(known(fact), "ana", None, moment)
    declared = c.DeclareConflict(organisation=ORGANISATION, grounds="a cousin")
    with pytest.raises(errors.PersonUnknown):
        person.declare_conflict(known(), "ana", declared, moment)


@pytest.mark.parametrize("until", [None, "2024-07-15"])
def test_a_declared_interest_stands_until_its_last_day_or_for_good(until: str | None) -> None:
    moment = Story().moment("reg")
    (registered_,) = person.register(known(), "ana", None, moment)
    command = c.DeclareConflict(organisation=ORGANISATION, grounds="x", until_on=day(until) if until else None)
    (declared,) = person.declare_conflict(known(registered_), "ana", command, moment)
    found = known(registered_, declared)
    stands = [ORGANISATION in found.conflicts_on(on) for on in around("2024-07-15")]
    assert stands == [True, True, until is None]
    assert UUID(int=7) not in found.conflicts_on(day("2024-07-15"))


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_a_key_is_issued_to_a_person_in_a_role_and_only_its_digest_is_kept() -> None:
    first, second = keys.new_secret(), keys.new_secret()
    assert first != second
    assert len(keys.sha256_of(first)) == 32
    (issued,) = keys.issue(
        "k-1", first, c.IssueKey(person="ana", role="assessor"), Story().moment("reg", role="administrator")
    )
    assert (issued.key, issued.person, issued.role) == ("k-1", "ana", "assessor")
    assert issued.secret_sha256 == keys.sha256_of(first).hex()
    (revoked,) = keys.revoke("k-1", "lost", Story().moment("reg", role="administrator"))
    assert (revoked.key, revoked.reason) == ("k-1", "lost")
    assert first.encode() not in e.encode(issued)
