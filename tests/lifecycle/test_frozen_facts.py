"""Stored facts are for ever: the frozen example of every fact ever released still loads, and is stored the same way."""

import msgspec
import pytest

from lifecycle import events as e
from lifecycle import upcast
from tests.lifecycle.freeze import FROZEN, LIVES, example, path_of, told_of

TOPICS = sorted(path.stem for path in FROZEN.glob("*.json"))


def test_every_fact_has_a_frozen_example() -> None:
    assert set(e.FACTS) <= set(TOPICS), "uv run python -m tests.lifecycle.freeze"


@pytest.mark.parametrize("topic", TOPICS)
def test_a_frozen_fact_still_loads(topic: str) -> None:
    assert isinstance(upcast.read(topic, path_of(topic).read_bytes()), e.Fact)


@pytest.mark.parametrize("topic", sorted(e.FACTS))
def test_a_frozen_fact_is_stored_again_to_the_same_byte(topic: str) -> None:
    frozen = path_of(topic).read_bytes().rstrip(b"\n")
    assert e.encode(e.decode(frozen)) == frozen


@pytest.mark.parametrize("topic", sorted(e.FACTS))
def test_a_frozen_fact_still_means_what_it_says(topic: str) -> None:
    """Every value stands under its name: nothing was renamed and given a default."""
    frozen = msgspec.json.decode(path_of(topic).read_bytes())
    assert e.plain(e.decode(path_of(topic).read_bytes())) == frozen
    assert frozen.pop("type") == topic == e.topic_of(e.FACTS[topic])
    assert set(frozen) <= {field.name for field in msgspec.structs.fields(e.FACTS[topic])}


def test_all_frozen_facts_load_in_bulk_in_their_order() -> None:
    packed = b"".join(path_of(topic).read_bytes() for topic in sorted(e.FACTS))
    assert [e.topic_of(fact) for fact in upcast.read_lines(packed)] == sorted(e.FACTS)


def test_what_is_left_out_is_not_stored() -> None:
    by, cause = e.By("p", "registrar", "k"), e.Cause("request", "r")
    fact = e.ApplicationAccepted(effective_on=example(e.ApplicationAccepted).effective_on, by=by, cause=cause)
    assert set(e.plain(fact)) == {"type", "effective_on", "by", "cause"}


@pytest.mark.parametrize("harm", ["renamed", "added", "mistyped"])
def test_a_fact_in_a_form_that_was_never_released_is_not_read(harm: str) -> None:
    tree = e.plain(example(e.CertificateSuspended))
    match harm:
        case "renamed":
            tree["end_on"] = tree.pop("ends_on")
        case "added":
            tree["note"] = "x"
        case "mistyped":
            tree["ends_on"] = "soon"
    with pytest.raises(upcast.Unreadable):
        upcast.read("certificate-suspended.v1", msgspec.json.encode(tree))


@pytest.mark.parametrize("life", sorted(path.name.partition(".")[0] for path in LIVES.glob("*.facts.jsonl")))
def test_of_a_frozen_life_the_public_is_still_told_the_same(life: str) -> None:
    facts = upcast.read_lines((LIVES / f"{life}.facts.jsonl").read_bytes())
    told = (LIVES / f"{life}.told.jsonl").read_bytes().splitlines()
    assert told_of(facts) == [msgspec.json.decode(line) for line in told]
