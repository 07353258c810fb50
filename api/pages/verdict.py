"""What a page says of one public answer: what was checked, and the history. All of it from the plain answer's bytes."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec

from api.forms import JWT, Volatile
from api.pages.words import CATALOGUE, Language, day_in, instant_in
from api.signing import Signer
from api.status.answers import StatusQuestions
from lifecycle.errors import Refusal
from lifecycle.status import Answer
from projections.register import Segment

Outcome = Literal["good", "bad", "open"]
TOLD_OF_A_TURN = ("level", "holder", "scope", "certification_type", "edition", "valid_until")
"""Members whose change the history tells by name."""

_answer_in = msgspec.json.Decoder(Answer).decode
_moment_in = msgspec.json.Decoder(Volatile).decode


class Check(NamedTuple):
    """One step of what was checked."""

    name: str
    outcome: Outcome
    says: str


class Turn(NamedTuple):
    """What the public answer is from a day on; ``notes`` say what came with it."""

    day: date
    status: str
    notes: list[str]


class Proof(NamedTuple):
    """The same answer signed, and the key that its signature was found to fit."""

    kid: str
    token: str


class Verdict(NamedTuple):
    """An answer in one language, ready to be shown."""

    answer: Answer
    moment: Volatile
    proof: Proof | None
    checks: list[Check]
    history: list[Turn]


def verdict(questions: StatusQuestions, signer: Signer, number: str, on: date | None, language: Language) -> Verdict:
    """What anybody is shown of the number on the day. Raises whatever Refusal stands in the way."""
    told, segments = questions.life(number, on)
    answer, moment = _answer_in(told.written.body), _moment_in(told.written.body)
    proof = _proof(questions, signer, answer, moment)
    signature = _signature(proof, language)
    checks = [_number(answer, moment, language), _dates(moment, language), signature]
    return Verdict(answer, moment, proof if isinstance(proof, Proof) else None, checks, history(segments, language))


def _proof(questions: StatusQuestions, signer: Signer, answer: Answer, moment: Volatile) -> Proof | Refusal:
    """The proof, or why the answer is not signed."""
    try:
        token = questions.forms.accepted(JWT)(msgspec.json.encode(answer), moment).body
    except Refusal as refusal:
        return refusal
    return Proof(signer.verified_by(token), token.decode())


# ---- what was checked ------------------------------------------------------------------------------------------------


def _number(answer: Answer, moment: Volatile, language: Language) -> Check:
    words = CATALOGUE[language]["check"]
    if answer.status == "unknown":
        return Check(words["number"], "bad", words["number_unknown"].format(position=moment.position))
    return Check(words["number"], "good", words["number_known"])


def _dates(moment: Volatile, language: Language) -> Check:
    words = CATALOGUE[language]["check"]
    told = {"on": day_in(language, moment.on), "position": moment.position}
    if moment.complete_until is None:
        return Check(words["dates"], "open", words["dates_never"].format(**told))
    told["complete_until"] = instant_in(language, moment.complete_until)
    name, outcome = ("dates_stale", "open") if moment.stale else ("dates_fresh", "good")
    return Check(words["dates"], outcome, words[name].format(**told))


def _signature(proof: Proof | Refusal, language: Language) -> Check:
    words = CATALOGUE[language]["check"]
    if isinstance(proof, Refusal):
        return Check(words["signature"], "open", words["unsigned"].format(why=proof.message(language)))
    return Check(words["signature"], "good", words["signed"].format(kid=proof.kid))


# ---- history ---------------------------------------------------------------------------------------------------------


def history(segments: Sequence[Segment], language: Language) -> list[Turn]:
    """Every turn of the public answer, the latest first."""
    answers = [(segment.day, _answer_in(segment.answer)) for segment in segments]
    turns = [Turn(day, answer.status, _notes(None, answer, language)) for day, answer in answers[:1]]
    turns += [
        Turn(day, answer.status, _notes(before, answer, language)) for (_, before), (day, answer) in pairwise(answers)
    ]
    return turns[::-1]


def _notes(before: Answer | None, answer: Answer, language: Language) -> list[str]:
    words, facts = CATALOGUE[language]["history"], CATALOGUE[language]["fact"]
    notes = []
    if answer.suspended_until is not None:
        notes.append(words["suspended_until"].format(day=day_in(language, answer.suspended_until)))
    if answer.superseded_by is not None:
        notes.append(words["superseded_by"].format(number=answer.superseded_by))
    changed = [facts[name] for name in TOLD_OF_A_TURN if before and getattr(before, name) != getattr(answer, name)]
    if changed:
        notes.append(words["changed"].format(what=words["separator"].join(changed)))
    return notes
