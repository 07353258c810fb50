"""Reads the text of a scheme file into its contents, or refuses it with file, key, and what was expected.

The rule language is closed: whatever is not asked for here has no meaning, and is refused. ``scheme_checks`` then holds
the contents against each other.
"""

import hashlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from lifecycle.rules.number_template import NumberTemplate
from lifecycle.rules.scheme_checks import check_contents
from lifecycle.rules.scheme_terms import (
    ACTS,
    NO_LEVEL,
    CertificationType,
    Contents,
    Element,
    ElementRow,
    KnockOut,
    Level,
    MalformedEdition,
    Parameter,
    ReasonText,
    Scoring,
    Special,
    Succession,
    UploadCode,
)
from lifecycle.rules.toml_table import CLAUSE, CODE, DAY, FLAG, TEXT, Kind, Table, choice, exact, matching, whole

PARAMETERS: dict[str, tuple[str, Kind[Any]]] = {
    "validity_months": ("months", whole(1, 600)),
    "validity_ends": ("choice", choice("day_before", "same_day")),
    "notice_window_days": ("days", whole(0, 366)),
    "grace_days": ("days", whole(0, 3660)),
    "sample_percent_each_year": ("percent of the elements", exact(0, 100)),
    "coverage_months": ("months", whole(1, 600)),
    "suspension_max_months": ("months", whole(1, 600)),
    "suspension_due_after_overdue_days": ("days", whole(0, 3660)),
    "bar_after_withdrawal_months": ("months", whole(0, 600)),
    "bar_after_expiry_months": ("months", whole(0, 600)),
    "appeal_lodging_days": ("days", whole(1, 3660)),
    "appeal_decision_days": ("days", whole(1, 3660)),
    "complaint_decision_days": ("days", whole(1, 3660)),
    "back_dating_days": ("days", whole(0, 3660)),
    "proposal_days": ("days", whole(1, 3660)),
    "reviewer_may_sign": ("choice", FLAG),
    "records_kept": ("choice", choice("for_ever")),
}
"""Every parameter that a scheme must state, with its unit and what it may be."""

CHECKS_CARRIED = {"merged": ("merged_elements", "earliest_check"), "new": ("new_elements", "next_visit")}
"""When an element that was merged or is new was last checked: with the earliest of its parts; never, so the next visit
takes it. No other reading is known; where the file does not state it, it is assumed."""

LONGEST_LINE = 1000
MARKS = exact(0, 1000)
UPLOAD = matching(r"[0-9]{1,8}", "a code of digits")
LEVEL = Kind(f'{CODE.expected}, not "{NO_LEVEL}"', lambda found: CODE.read(found) if found != NO_LEVEL else None)
SCHEME = matching(r"[A-Z0-9][A-Z0-9-]{1,39}", "a scheme code of upper-case letters, digits and hyphens")
TEMPLATE = Kind(
    'a template such as "AB-{year}-{serial:05d}"',
    lambda found: NumberTemplate.read(found) if isinstance(found, str) else None,
)


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


Entry = TypeVar("Entry", bound=_Coded)


def read_contents(text: str, *, file: str) -> Contents:
    """The contents of the scheme file; MalformedEdition where it is not one. ``file`` is its name, for the refusal."""
    document = _document(text, file)
    with Table(document, at="", file=file) as top:
        said = _said(top)
    digest = hashlib.sha256(text.encode()).hexdigest()
    stated = {each.key: each for each in (*_unsaid(said["succession"]), *_stated(document, ""))}
    contents = Contents(text=text, digest=digest, stated=MappingProxyType(stated), **said)
    check_contents(contents, file)
    return contents


def _said(top: Table) -> dict[str, Any]:
    return {
        **_heading(top),
        **_parameters(top),
        "scoring": _scoring(top.table("scoring")),
        "certification_types": _by_code(top, "certification_types", _certification_type),
        "levels": _by_code(top, "levels", _level),
        "elements": _by_code(top, "elements", _element),
        "specials": _specials(top),
        "reasons_by_act": _reasons(top.table("reasons")),
        "upload_codes": tuple(map(_upload_code, top.rows("upload"))) if "upload" in top else (),
        "succession": _succession(top.table("succession")) if "succession" in top else None,
    }


def _document(text: str, file: str) -> dict[str, Any]:
    longest = max(map(len, text.splitlines()), default=0)
    if longest > LONGEST_LINE:
        expected = (
            f"lines of at most {LONGEST_LINE} characters"  # the parser's time grows with the square of a dotted key
        )
        raise MalformedEdition(file, "the file", expected, f"one of {longest}")
    try:
        text.encode()
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedEdition(file, "the file", "TOML 1.0 in UTF-8", str(error)[:200]) from error


def _heading(top: Table) -> dict[str, Any]:
    with top.table("edition") as edition, top.table("numbers") as numbers:
        return {
            "id": edition.value("id", TEXT),
            "scheme": edition.value("scheme", SCHEME),
            "title": edition.value("zh", TEXT),
            "title_en": edition.value("en", TEXT),
            "elements_note": edition.value("elements_note", TEXT),
            "published_on": edition.record("published_on", DAY, "day").value,
            "effective_from": edition.record("effective_from", DAY, "day").value,
            "number_template": numbers.record("template", TEMPLATE, "template").value,
        }


def _parameters(top: Table) -> dict[str, Any]:
    with top.table("parameters") as table:
        records = {key: table.record(key, kind, unit) for key, (unit, kind) in PARAMETERS.items()}
    values = {key: record.value for key, record in records.items()}
    return {**values, "parameters": MappingProxyType(records)}


def _scoring(table: Table) -> Scoring:
    with table:
        return Scoring(
            method=table.record("method", choice("sum", "ratio"), "choice").value,
            total=table.record("total", MARKS, "marks").value,
            conformity_required=table.record("conformity_required", FLAG, "choice").value,
            not_applicable_allowed=table.record("not_applicable_allowed", FLAG, "choice").value,
            deductions_fail_from=table.optional_record("deductions_fail_from", whole(1, 1000), "deductions"),
            bonus_cap=table.optional_record("bonus_cap", MARKS, "marks"),
            knock_out=_knock_out(table.table("knock_out")) if "knock_out" in table else None,
        )


def _knock_out(table: Table) -> KnockOut:
    with table:
        count = table.record("count", whole(1, 1000), "elements").value
        return KnockOut(table.texts("elements", CLAUSE), count)


def _by_code(top: Table, key: str, read: Callable[[Table], Entry]) -> Mapping[str, Entry]:
    entries: dict[str, Entry] = {}
    for row in top.rows(key):
        entry = read(row)
        if entry.code in entries:
            raise row.malformed("code", f"each code of {key} once", repr(entry.code))
        entries[entry.code] = entry
    return MappingProxyType(entries)


def _certification_type(row: Table) -> CertificationType:
    with row:
        row.clause()
        code, zh, en = row.value("code", CODE), row.value("zh", TEXT), row.value("en", TEXT)
        return CertificationType(code, zh, en, row.value("scored", FLAG))


def _level(row: Table) -> Level:
    with row:
        return Level(
            code=row.value("code", LEVEL),
            zh=row.value("zh", TEXT),
            en=row.value("en", TEXT),
            stars=row.optional("stars", whole(1, 9)),
            interval_months=row.record("interval", whole(1, 600), "months").value,
            at_least=row.optional_record("at_least", MARKS, "marks"),
            below=row.optional_record("below", MARKS, "marks"),
            clause=row.clause(),
        )


def _element(row: Table) -> Element:
    with row:
        row.value("unit", choice("marks"))
        code, zh, en = row.value("code", CLAUSE), row.value("zh", TEXT), row.value("en", TEXT)
        return Element(code, zh, en, row.value("value", MARKS), row.clause())


def _specials(top: Table) -> Mapping[str, Special]:
    deductions = _specials_of(top, "deductions", "deduction")
    bonuses = _specials_of(top, "bonuses", "bonus")
    twice = next((code for code in bonuses if code in deductions), None)
    if twice:
        raise top.malformed(f"bonuses[{twice}].code", "a code that no deduction has", repr(twice))
    return MappingProxyType({**deductions, **bonuses})


def _specials_of(top: Table, key: str, kind: str) -> Mapping[str, Special]:
    return _by_code(top, key, lambda row: _special(row, kind)) if key in top else {}


def _special(row: Table, kind: str) -> Special:
    with row:
        row.value("unit", choice("marks"))
        code, zh, en = row.value("code", CODE), row.value("zh", TEXT), row.value("en", TEXT)
        return Special(code, zh, en, kind, row.value("value", MARKS), row.clause())


def _reasons(table: Table) -> Mapping[str, Mapping[str, ReasonText]]:
    with table:
        return MappingProxyType({act: _reasons_of(table.table(act)) for act in ACTS})


def _reasons_of(table: Table) -> Mapping[str, ReasonText]:
    reasons: dict[str, ReasonText] = {}
    for code, entry in table.tables():
        if CODE.read(code) is None:
            raise table.malformed(code, CODE.expected, repr(code))
        with entry:
            reasons[code] = ReasonText(code, entry.value("zh", TEXT), entry.value("en", TEXT), entry.clause())
    return MappingProxyType(reasons)


def _upload_code(row: Table) -> UploadCode:
    with row:
        return UploadCode(
            own=row.value("own", CODE),
            reason=row.optional("reason", CODE),
            code=row.value("value", UPLOAD),
            cause=row.optional("cause", UPLOAD),
            clause=row.clause(),
        )


def _succession(table: Table) -> Succession:
    with table:
        for key, value in CHECKS_CARRIED.values():
            table.optional_record(key, choice(value), "choice")
        return Succession(
            of=table.value("of", TEXT),
            last_decision_on=table.record("last_decision_on", DAY, "day").value,
            transition_ends_on=table.record("transition_ends_on", DAY, "day").value,
            afterwards=table.record("afterwards", choice("adoption_due", "withdrawal_due"), "choice").value,
            grade_at_adoption=table.record("grade_at_adoption", choice("kept", "changed"), "choice").value,
            elements=tuple(map(_element_row, table.rows("elements"))) if "elements" in table else (),
        )


def _unsaid(succession: Succession | None) -> Iterator[Parameter[Any]]:
    """How the file's merged and new elements count as checked."""
    kinds = {row.kind for row in succession.elements} if succession else set[str]()
    for kind, (key, value) in CHECKS_CARRIED.items():
        if kind in kinds:
            yield Parameter(f"succession.{key}", value, "choice", None)


def _element_row(row: Table) -> ElementRow:
    with row:
        return ElementRow(
            kind=row.value("kind", choice("same", "split", "merged", "dropped", "new")),
            old=row.texts("old", CLAUSE) if "old" in row else (),
            new=row.texts("new", CLAUSE) if "new" in row else (),
            clause=row.clause(),
        )


def _stated(table: Mapping[str, Any], at: str) -> Iterator[Parameter[Any]]:
    """Everything that stands with a source, in the file's order (its English text where it has no value)."""
    for key, entry in table.items():
        rows = entry if isinstance(entry, list) else [entry]
        for index, row in enumerate(rows):
            if isinstance(row, dict):
                name = f"{key}[{row.get('code', index)}]" if rows is entry else key
                yield from _stated_in(row, f"{at}{name}")


def _stated_in(row: Mapping[str, Any], at: str) -> Iterator[Parameter[Any]]:
    if "clause" in row or "status" in row:
        yield Parameter(at, row.get("value", row.get("en")), row.get("unit", "text"), row.get("clause"))
    yield from _stated(row, f"{at}.")
