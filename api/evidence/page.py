"""A file of evidence as one page for people, in Chinese and English: nothing to load, nothing that runs.

Made from the events and the editions alone, and from what is said in ``About``: the same to the byte for everybody.
"""

from base64 import b64encode
from collections.abc import Container, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from jinja2 import Environment

from api.evidence import words
from api.evidence.disputes import disputes
from api.evidence.picture import Told, picture
from api.pages.rendering import environment
from api.pages.words import Language
from lifecycle.certificate import Certificate, fold
from lifecycle.events import Recorded
from lifecycle.evidence.asking import Bars
from lifecycle.evidence.spans import day_of, known_now, known_then, side_by_side
from lifecycle.evidence.traces import Judgement, judgements, steps
from lifecycle.periods import legal_day
from lifecycle.rules import Edition

SIZES = (("wide", 1000), ("narrow", 340))
"""How many pixels wide the picture is on a desk and on paper, and on a phone."""


class About(NamedTuple):
    """What the page says beside the record: when it was made, by whom, of which log; names of pseudonyms for those
    entitled to them."""

    at: datetime
    issuer: Mapping[Language, str] = {}
    log: str = ""
    names: Mapping[str, str] = {}
    simulation: bool = False


def page(
    id: UUID,
    history: Sequence[Recorded],
    editions: Mapping[str, Edition],
    about: About,
    bars: Bars | None = None,
    hidden: Container[int] = (),
) -> str:
    """The whole page. ``history`` is the certificate's stream from version 1, ``editions`` at least those it names; the
    ``hidden`` versions are counted, and not told."""
    state, until = fold(id, history), max(legal_day(about.at), day_of(history[-1]))
    walked = steps(id, history, editions)
    told = [step for step in walked if step.version not in hidden]
    then, now = known_then(id, history, until), known_now(id, history, until)
    judged, disputed = judgements(id, history, editions, bars), disputes(history)
    days = side_by_side(then, now)
    drawn = Told(told, then, now, disputed, editions.get(state.edition))
    return (
        _templates()
        .get_template("evidence.html")
        .render(
            about=about,
            id=id,
            until=until,
            head=_head(state, until),
            steps=told,
            count=len(walked),
            under={step.version: step.then.edition for step in walked},
            unsupported=[*state.unsupported],
            facts={recorded.version: recorded.fact for recorded in history},
            names={step.version: step.event.partition(".")[0] for step in told},
            days=days,
            differing=[(told, known) for told, known in days if told != known],
            pictures=[(name, picture(drawn, width)) for name, width in SIZES],
            judged=[(version, [*each]) for version, each in groupby(judged, key=lambda judgement: judgement.version)],
            asked={judgement.version for judgement in judged},
            judgements=len(judged),
            unequal=sum(judgement.equal is False for judgement in judged),
            not_compared=sum(judgement.equal is None for judgement in judged),
            disputed=disputed,
            used=_used(state, judged, editions),
            editions=editions,
            policy=_policy(),
        )
    )


def _head(state: Certificate, until: date) -> dict[str, Any]:
    """What the certificate is on the day."""
    applied = next((case.application for case in state.cases.values() if case.application), None)
    begun = [day for day in state.periods.days if day <= until]
    return {
        "status": state.status_on(until),
        "number": state.numbers.at(until),
        "holder": state.holders.at(until) or (applied.holder if applied else None),
        "address": state.addresses.at(until) or (applied.address if applied else None),
        "scope": state.scopes.at(until) or (applied.scope if applied else None),
        "level": state.levels.at(until),
        "edition": state.edition,
        "valid_from": begun[-1] if begun else None,
        "valid_until": state.periods.at(until),
        "first_certified_on": state.first_certified_on,
    }


def _used(state: Certificate, judged: Sequence[Judgement], editions: Mapping[str, Edition]) -> list[Edition]:
    """The editions that were asked, and the one that the certificate is under."""
    named = dict.fromkeys([*(judgement.edition for judgement in judged), state.edition])
    return [editions[id] for id in named if id in editions]


@cache
def _templates() -> Environment:
    templates = environment()
    templates.finalize = words.finished
    templates.globals |= {
        "t": words.word,
        "level": words.level_word,
        "because": words.because_word,
        "prose": words.prose,
        "reason": words.reason_word,
        "criterion": words.criterion_word,
        "both": words.both,
        "value": words.value,
        "instant": words.instant,
        "score": words.score,
        "total": words.total,
    }
    return templates


@cache
def _policy() -> str:
    """Nothing is fetched and nothing runs; the one style sheet is named by its digest."""
    style = _templates().get_template("evidence.css").render()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
