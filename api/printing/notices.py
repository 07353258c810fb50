"""Notices to holders as they are printed: the act, its grounds and clauses, its days, and what the holder may do."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgspec

from api.pages.words import LANGUAGES, Language, day_in
from lifecycle import events as e
from lifecycle.certificate import Certificate
from lifecycle.decisions.correction import REASONS_OF
from lifecycle.notices import Notice
from lifecycle.periods import legal_day
from lifecycle.rules import Edition

WORDS: Mapping[str, Any] = tomllib.loads((files("api.printing") / "notices.toml").read_text(encoding="utf-8"))
PAPER, FIELDS = WORDS["paper"], WORDS["field"]
APPEAL_PERIOD = "parameters.appeal_lodging_days"

Both = dict[Language, str | None]
"""One thing said in both languages; what reads the same in both stands under zh alone."""


def words_of(fact: e.Fact) -> Mapping[str, Any]:
    """What a notice of such a fact is called, says, and lets the holder do."""
    return WORDS[topic_word(fact)]


def topic_word(fact: e.Fact) -> str:
    """The fact's name without its version, under which its words stand."""
    return e.topic_of(fact).rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Paper:
    """One notice."""

    certificate: Certificate
    notice: Notice
    editions: Mapping[str, Edition]

    @property
    def edition(self) -> Edition:
        """The one that the fact was decided under, or else the certificate's."""
        return self.editions[self.notice.fact.edition or self.certificate.edition]

    def face(self) -> dict[str, Any]:
        """Everything that the paper shows, but for who gives it."""
        fact, words = self.notice.fact, words_of(self.notice.fact)
        return {
            "title": words["title"],
            "on": self._recorded_on.isoformat(),
            "rows": [
                {**PAPER[name], "said": [*said]}
                for name, said in (
                    ("to", self._addressee()),
                    ("number", self._number()),
                    ("says", [self._in_both(words["says"])]),
                    ("grounds", self._grounds()),
                    ("changes", self._changes()),
                    ("effective_on", [_both("{day}", day=fact.effective_on)]),
                    ("edition", [_alike(f"{self.edition.id}  {self.edition.title}", self.edition.title_en)]),
                    ("do", self._do()),
                )
                if said
            ],
            "reference": PAPER["reference"].format(id=self.certificate.id, of=self.notice.of),
            "recorded": _both(PAPER["decided"], day=self._recorded_on),
        }

    @property
    def _recorded_on(self) -> Any:
        recorded_at = self.certificate.history[self.notice.of - 1].recorded_at
        return legal_day(recorded_at) if recorded_at else self.notice.fact.effective_on

    def _addressee(self) -> list[Both]:
        on = self.notice.fact.effective_on
        asked = next((case.application for case in self.certificate.cases.values() if case.application), None)
        holder, address = (
            line.at(on) or line.last or getattr(asked, name, "")
            for name, line in (("holder", self.certificate.holders), ("address", self.certificate.addresses))
        )
        return [_alike(" ".join(holder.split())), _alike(" ".join(address.split()))]

    def _number(self) -> list[Both]:
        number = self.certificate.numbers.at(self.notice.fact.effective_on) or self.certificate.numbers.last
        return [_alike(number)] if number else []

    def _grounds(self) -> list[Both]:
        """Each reason in the edition's words with its source, and what it consists of; or the grounds given."""
        fact = self.notice.fact
        reasons = [*getattr(fact, "reasons", ()), *getattr(fact, "closed", ())]
        given = [getattr(fact, name, "") for name in ("grounds", "reason")]
        texts = [_alike(text) for text in given if text]
        if because := getattr(fact, "because", ""):
            texts.append(_both(PAPER["rule"], because=because))
        return [said for reason in reasons for said in self._reason(reason)] + texts

    def _reason(self, reason: e.Reason) -> Iterator[Both]:
        listed = self.edition.reasons(REASONS_OF.get(type(self.notice.fact), "suspension")).get(reason.code)
        if listed is None:
            yield _alike(reason.code)
        else:
            wording = {"zh": listed.zh, "en": listed.en}
            yield _both(PAPER["reason"], wording=wording, clause=_source(listed.clause))
        if reason.text:
            yield _alike(reason.text)

    def _changes(self) -> list[Both]:
        fact = self.notice.fact
        if not isinstance(fact, e.RecordCorrected):
            return []
        return [*map(_change, fact.changes), *([PAPER["voided"]] if fact.void else [])]

    def _do(self) -> Iterator[Both]:
        if (may := words_of(self.notice.fact).get("do")) is not None:
            yield may
        stated = self.editions[self.certificate.edition].stated[APPEAL_PERIOD]
        yield _both(PAPER["appeal"], days=stated.value, of=self.notice.of, clause=_source(stated.clause))

    def _in_both(self, text: Mapping[Language, str], **more: Any) -> Both:
        """The text with what the fact says in its places."""
        fact = self.notice.fact
        said = {name: getattr(fact, name) for name in fact.__struct_fields__} | more
        if (due := getattr(fact, "due", None)) is not None:
            said["visit_on"] = due.visit_on
        if (level := self.edition.levels.get(getattr(fact, "level", ""))) is not None:
            said["level"] = {"zh": level.zh, "en": level.en}
        if (upheld := getattr(fact, "upheld", None)) is not None:
            said["outcome"] = PAPER["upheld" if upheld else "not_upheld"]
        return _both(text, **said)


def _change(change: e.Change) -> Both:
    """Both values, under the field's name and the place in it."""
    field, *place = change.path.removeprefix("/").split("/")
    values = {"old": _plainly(change.old), "new": _plainly(change.new)}
    return _both(PAPER["change"], field=FIELDS.get(field, field), place="".join(f" {each}" for each in place), **values)


def _both(text: Mapping[Language, str] | str, **said: Any) -> Both:
    by_language = dict.fromkeys(LANGUAGES, text) if isinstance(text, str) else text
    return {
        language: by_language[language].format(**{name: _in(language, value) for name, value in said.items()})
        for language in LANGUAGES
    }


def _in(language: Language, value: Any) -> Any:
    """The value as the language writes it: a day as a day, and what is said in both as in this one."""
    if hasattr(value, "isoformat"):
        return day_in(language, value)
    return value[language] if isinstance(value, Mapping) and language in value else value


def _alike(zh: str, en: str | None = None) -> Both:
    return {"zh": zh, "en": en}


def _source(clause: str | None) -> Any:
    return clause or PAPER["assumed"]


def _plainly(value: Any) -> str:
    """The value of a field in one line; of reasons and the like what they say."""
    if isinstance(value, list):
        return "; ".join(map(_plainly, value))
    if isinstance(value, dict):
        return " ".join(str(each) for each in value.values() if each)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
