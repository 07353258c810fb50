"""A report as people read it on a terminal, and as machines read it: JSON, and CSV with one row a difference."""

import csv
import io
from collections.abc import Iterator

import msgspec

from api.rehearsal.report_words import (
    EFFECTS,
    QUESTIONS,
    STATUSES,
    Words,
    counted,
    does_any_grade_rise,
    label,
    level_words,
    said,
)  # fmt: skip
from lifecycle.rehearsal.comparison import Line
from lifecycle.rehearsal.report import Report
from lifecycle.rules import Edition

COLUMNS = (
    "certificate", "number", "holder", "effect", "level_before", "level_after", "status_before", "status_after",
    "valid_until_before", "valid_until_after", "visit_on_before", "visit_on_after", "question", "version", "topic",
    "on", "before", "after", "rule", "clause", "not_judged", "line_sha256",
)  # fmt: skip


def as_json(report: Report) -> bytes:
    """One object, keys in their order, each line with its digest."""
    plain = msgspec.to_builtins(report)
    for name in ("lines", "not_judged"):
        for told, line in zip(plain[name], getattr(report, name), strict=True):
            told["line_sha256"] = line.digest
    return msgspec.json.format(msgspec.json.encode(plain), indent=1) + b"\n"


def as_csv(report: Report) -> bytes:
    """A row for each answer that differs, and for each that cannot be judged."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for line in sorted({line.certificate: line for line in (*report.lines, *report.not_judged)}.values(), key=_place):
        table.writerows(_rows(line))
    return text.getvalue().encode()


def as_text(report: Report, *editions: Edition, lines: int = 10) -> Iterator[str]:
    """The counts, the outright answer, and the first lines."""
    levels = level_words(*editions)
    before = report.against.id if report.against else "as recorded  照记录"
    yield f"{before}  ->  {report.edition.id}  sha256 {report.edition.digest[:16]}  {report.on}  @{report.position}"
    yield " · ".join(f"{name} {count}" for name, count in counted(report))
    yield does_any_grade_rise(report)
    yield from _cells("等级 grades", report.grades, levels)
    yield from _cells("状态 statuses", report.statuses, STATUSES)
    yield "监督到期 visits due:  " + "  ".join(f"{each.month} {each.before}->{each.after}" for each in report.visits)
    for line in report.lines[:lines]:
        yield from _told(line, levels)
    if len(report.lines) > lines:
        yield f"… {len(report.lines) - lines} more  其余见 --json, --csv"
    for line in report.not_judged[:lines]:
        why = "; ".join(f"{each.problem} {', '.join(each.elements)}" for each in line.not_judged)
        yield f"  {label(line)}  无法判定 cannot be judged: {why}"


def _cells(title: str, cells: tuple, words: Words) -> Iterator[str]:
    yield f"{title}:"
    for cell in cells:
        yield f"  {cell.certificates:7}  {said(words, cell.before)} -> {said(words, cell.after)}"


def _told(line: Line, levels: Words) -> Iterator[str]:
    yield f"  {label(line)}  {line.holder or ''}  {said(EFFECTS, line.effect)}"
    for flip in line.flips:
        words = levels if flip.question == "grade" else {}
        clause = flip.clause or "假定 assumed"
        yield (f"      {said(QUESTIONS, flip.question)}: {said(words, flip.before)} -> {said(words, flip.after)}"
               f"  ({flip.on}, {flip.topic} @{flip.version}; {flip.rule}, {clause})")  # fmt: skip


def _rows(line: Line) -> Iterator[list[object]]:
    before, after = line.before, line.after
    head = [
        line.certificate, line.number, line.holder, line.effect, before.level, after.level, before.status, after.status,
        before.valid_until, after.valid_until, before.visit_on, after.visit_on,
    ]  # fmt: skip
    for flip in line.flips or (None,) if line.is_affected else ():
        rest = msgspec.structs.astuple(flip) if flip else [None] * 8
        yield [_safe(value) for value in (*head, *rest, None, line.digest)]
    for each in line.not_judged:
        why = f"{each.problem} {' '.join(each.elements)}".strip()
        yield [_safe(value) for value in (*head, None, each.version, each.topic, *[None] * 5, why, line.digest)]


def _safe(value: object) -> object:
    """A text that a spreadsheet would take for a formula is no formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value


def _place(line: Line) -> tuple[str, str]:
    return line.number or "", str(line.certificate)
