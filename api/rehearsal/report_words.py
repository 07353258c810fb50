"""What a report's words are called by people, in Chinese and English."""

from lifecycle.rehearsal.comparison import Line
from lifecycle.rehearsal.report import NOT_JUDGED, Report
from lifecycle.rules import Edition

Words = dict[str, tuple[str, str]]

STATUSES: Words = {
    "none": ("未颁证", "not issued"),
    "active": ("有效", "valid"),
    "suspended": ("暂停", "suspended"),
    "withdrawn": ("撤销", "withdrawn"),
    "cancelled": ("注销", "cancelled"),
    "expired": ("过期失效", "expired"),
}
QUESTIONS: Words = {
    "grade": ("等级", "grade"),
    "validity": ("有效期", "validity"),
    "visit": ("监督到期日", "visit due"),
    "notice": ("提醒期", "notice window"),
    "coverage": ("覆盖期限", "coverage"),
    "quota": ("抽样数量", "quota"),
    "suspension": ("暂停期限", "suspension"),
    "bar": ("禁止申请期", "bar"),
}
EFFECTS: Words = {
    "gains": ("有利", "gains"),
    "loses": ("不利", "loses"),
    "mixed": ("有利有弊", "gains and loses"),
    "none": ("结果不变", "ends the same"),
}
UNKNOWN = ("无法判定", "cannot be judged")


def level_words(*editions: Edition) -> Words:
    """What each level of these editions is called; the first one's word counts."""
    words: Words = {"none": ("无等级", "no level"), NOT_JUDGED: UNKNOWN}
    for edition in reversed(editions):
        words |= {code: (level.zh, level.en) for code, level in edition.levels.items()}
    return words


def said(words: Words, code: str | None) -> str:
    """Both words of the code; the code itself where it has none."""
    return " ".join(words.get(code or NOT_JUDGED, (code or "",)))


def label(line: Line) -> str:
    return line.number or str(line.certificate)


def counted(report: Report) -> list[tuple[str, int]]:
    """What is counted, with its names."""
    return [
        ("证书 certificates", report.certificates),
        ("受影响 affected", report.affected),
        ("有利 gain", report.gains),
        ("不利 lose", report.loses),
        ("有利有弊 both", report.mixed),
        ("无法判定 not judged", len(report.not_judged)),
        ("搁置 set aside", len(report.set_aside)),
    ]


def does_any_grade_rise(report: Report) -> str:
    """The outright answer."""
    rises = report.any_grade_rises
    if rises.example is None:
        return f"是否有等级上升？ 否，共 {rises.over} 张。  Does any grade rise? No, over {rises.over} certificates."
    example = label(rises.example)
    zh = f"是否有等级上升？ 是，{rises.over} 张中 {rises.rising} 张，例如 {example}。"
    return f"{zh}  Does any grade rise? Yes, {rises.rising} of {rises.over}, for example {example}."
