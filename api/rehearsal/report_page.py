"""A report as one page for people: Chinese and English, nothing to load, nothing that runs."""

from html import escape

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
from lifecycle.rehearsal.report import Cell, Report, Visits
from lifecycle.rules import Edition

STYLE = """body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{border:1px solid #bbb;padding:.25rem .6rem;text-align:left;
vertical-align:top}td.n{text-align:right}td.same{background:#eee}.answer{font-size:1.2rem;font-weight:600}
code{word-break:break-all}@media print{body{margin:0}}"""
BAR_WIDTH, BAR_HEIGHT, LABEL_WIDTH = 480, 11, 80


def as_html(report: Report, *editions: Edition) -> bytes:
    """The whole page. Every text of the register is escaped."""
    levels = level_words(*editions)
    before = report.against.id if report.against else "照记录 as recorded"
    body = "".join((
        f"<h1>演练报告 Rehearsal</h1><p>{escape(before)} → <b>{escape(report.edition.id)}</b>"
        f"<br>sha256 <code>{report.edition.digest}</code><br>{report.on} · position {report.position}</p>",
        f'<p class="answer">{escape(does_any_grade_rise(report))}</p>', _counts(report),
        _matrix("等级 Grades", report.grades, levels), _matrix("状态 Statuses", report.statuses, STATUSES),
        "<h2>监督到期 Visits due</h2>", _plot(report.visits),
        "<h2>受影响的证书 Affected certificates</h2>", _lines(report.lines, levels),
        "<h2>无法判定 Cannot be judged</h2>", _not_judged(report.not_judged),
    ))  # fmt: skip
    return (f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{escape(report.edition.id)}</title>'
            f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
            f"<body>{body}</body></html>\n").encode()  # fmt: skip


def _counts(report: Report) -> str:
    told = counted(report)
    return _table([name for name, _ in told], [[_number(count) for _, count in told]])


def _matrix(title: str, cells: tuple[Cell, ...], words: Words) -> str:
    rows = list(dict.fromkeys(cell.before for cell in cells))
    columns = list(dict.fromkeys(cell.after for cell in sorted(cells, key=lambda cell: cell.before != cell.after)))
    counts = {(cell.before, cell.after): cell.certificates for cell in cells}
    body = [
        [f"<th>{escape(said(words, row))}</th>",
         *(_number(counts.get((row, column), 0), "n same" if row == column else "n") for column in columns)]
        for row in rows
    ]  # fmt: skip
    return f"<h2>{title}</h2>" + _table(["之前 ↓ 之后 → before ↓ after →", *(said(words, c) for c in columns)], body)


def _plot(visits: tuple[Visits, ...]) -> str:
    most = max((count for each in visits for count in (each.before, each.after)), default=0) or 1
    step = 2 * BAR_HEIGHT + 6
    bars = "".join(
        f'<text x="0" y="{place * step + BAR_HEIGHT + 4}" font-size="12">{escape(each.month)}</text>'
        + _bar(place * step, each.before, most, "#9aa5b1")
        + _bar(place * step + BAR_HEIGHT, each.after, most, "#1f5fa8")
        for place, each in enumerate(visits)
    )  # fmt: skip
    width, height = LABEL_WIDTH + BAR_WIDTH + 60, step * len(visits)
    return (f'<p>灰 之前 grey before · 蓝 之后 blue after</p><svg width="{width}" height="{height}" role="img" '
            f'aria-label="visits due in each month">{bars}</svg>')  # fmt: skip


def _bar(top: int, count: int, most: int, colour: str) -> str:
    width = count * BAR_WIDTH // most
    return (f'<rect x="{LABEL_WIDTH}" y="{top}" width="{width}" height="{BAR_HEIGHT - 1}" fill="{colour}"/>'
            f'<text x="{LABEL_WIDTH + width + 4}" y="{top + BAR_HEIGHT - 2}" font-size="10">{count}</text>'
            )  # fmt: skip


def _lines(lines: tuple[Line, ...], levels: Words) -> str:
    head = ["证书 certificate", "持证人 holder", "影响 effect", "问题 question", "之前 before", "之后 after",
            "事实 fact", "规则 rule", "条款 clause"]  # fmt: skip
    body = []
    for line in lines:
        for flip in line.flips:
            words = levels if flip.question == "grade" else {}
            body.append([_cell(text) for text in (
                label(line), line.holder or "", said(EFFECTS, line.effect), said(QUESTIONS, flip.question),
                said(words, flip.before), said(words, flip.after), f"{flip.on} {flip.topic} @{flip.version}",
                flip.rule, flip.clause or "假定 assumed",
            )])  # fmt: skip
    return _table(head, body)


def _not_judged(lines: tuple[Line, ...]) -> str:
    body = [
        [
            _cell(text)
            for text in (label(line), each.topic, f"@{each.version}", f"{each.problem} {', '.join(each.elements)}")
        ]
        for line in lines
        for each in line.not_judged
    ]
    return _table(["证书 certificate", "事实 fact", "版本 version", "原因 reason"], body)


def _table(head: list[str], body: list[list[str]]) -> str:
    rows = "".join(f"<tr>{''.join(row)}</tr>" for row in body)
    return f"<table><tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr>{rows}</table>"


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def _number(count: int, kind: str = "n") -> str:
    return f'<td class="{kind}">{count}</td>'
