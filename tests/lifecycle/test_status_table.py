"""Every (status, fact): what domain.md allows happens, what it does not is refused and records nothing."""

from itertools import product

import pytest

from lifecycle import errors
from lifecycle import events as e
from lifecycle.certificate import Certificate, evolve
from lifecycle.transitions import STATUS
from tests.lifecycle.asked import ASKED, in_status
from tests.lifecycle.expected import ACTS, ELSEWHERE, FACTS_OF_A_CERTIFICATE, STATUSES
from tests.lifecycle.freeze import example
from tests.lifecycle.story import CERTIFICATE, Story

FACTS = {cls.__name__: cls for cls in e.FACTS.values()}
PAIRS = list(product(STATUSES, FACTS_OF_A_CERTIFICATE))
ALLOWED = [pair for pair in PAIRS if pair in ACTS and pair[1] in ASKED]
REFUSED = [pair for pair in PAIRS if pair not in ACTS and pair[1] in ASKED]
OF_THE_CLOCK = ("SurveillanceDue", "SurveillanceOverdue", "CertificateExpired")


def test_every_fact_of_a_certificate_has_its_row() -> None:
    assert set(FACTS) - ELSEWHERE == set(FACTS_OF_A_CERTIFICATE)
    assert set(FACTS_OF_A_CERTIFICATE) - set(ASKED) == {"EditionAdopted", "DocumentSealed"}, (
        "facts that no command asks for"
    )


def test_the_table_of_statuses_is_the_domains() -> None:
    assert {(status, fact.__name__): after for (status, fact), after in STATUS.items()} == ACTS


@pytest.mark.parametrize(("status", "fact"), PAIRS)
def test_reading_a_fact_turns_the_status_only_where_the_domain_says_so(status: str, fact: str) -> None:
    certificate = Certificate(CERTIFICATE, status=status)
    certificate.cases = Story().issued().certificate.cases | {7: Story().issued().certificate.cases[1]}
    evolve(certificate, 50, example(FACTS[fact]))
    assert certificate.status == ACTS.get((status, fact), status)


@pytest.mark.parametrize(("status", "fact"), ALLOWED)
def test_a_fact_happens_in_every_status_the_domain_names(status: str, fact: str) -> None:
    story, case = in_status(status, fact)
    before = len(story.history)
    ASKED[fact].ask(story, case)
    assert FACTS[fact] in [type(recorded.fact) for recorded in story.history[before:]]
    assert story.certificate.status == ACTS[status, fact]


@pytest.mark.parametrize(("status", "fact"), [pair for pair in REFUSED if pair[1] not in OF_THE_CLOCK])
def test_a_fact_happens_in_no_other_status_and_its_refusal_records_nothing(status: str, fact: str) -> None:
    story, case = in_status(status, fact)
    with story.refusing(errors.NotAllowedInStatus, status=status, allowed=", ".join(_statuses_of(fact))):
        ASKED[fact].ask(story, case)


@pytest.mark.parametrize(("status", "fact"), [pair for pair in REFUSED if pair[1] in OF_THE_CLOCK])
def test_the_clock_records_nothing_before_issue_or_after_the_end(status: str, fact: str) -> None:
    story, case = in_status(status, fact)
    before = len(story.history)
    ASKED[fact].ask(story, case)
    assert len(story.history) == before


def _statuses_of(fact: str) -> list[str]:
    return [status for status in STATUSES if (status, fact) in ACTS]
