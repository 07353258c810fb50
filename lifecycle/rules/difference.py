"""What changes from one edition to another, value by value, in words."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lifecycle.rules.edition import Edition
from lifecycle.rules.scheme_terms import ElementRow, Parameter

PARAMETER_WORDS: Mapping[str, tuple[str, str]] = {
    "validity_months": ("有效期", "validity"),
    "validity_ends": ("有效期截止日", "the last day of validity"),
    "notice_window_days": ("监督提醒期", "the notice window before a visit"),
    "grace_days": ("间隔缩短时的宽限期", "the grace where an interval gets shorter"),
    "sample_percent_each_year": ("每年抽样比例", "the sample of each year"),
    "coverage_months": ("全覆盖期限", "the time in which every element is covered"),
    "suspension_max_months": ("暂停最长期限", "the longest suspension"),
    "suspension_due_after_overdue_days": ("逾期后提议暂停", "a suspension is due after an overdue visit"),
    "bar_after_withdrawal_months": ("撤销后禁止申请期", "the bar after a withdrawal"),
    "bar_after_expiry_months": ("过期后禁止申请期", "the bar after expiry"),
    "appeal_lodging_days": ("申诉期限", "the time to appeal"),
    "appeal_decision_days": ("申诉决定期限", "the time to decide an appeal"),
    "complaint_decision_days": ("投诉决定期限", "the time to decide a complaint"),
    "back_dating_days": ("单人倒签期限", "how far one person may back-date"),
    "proposal_days": ("提议有效期", "how long a proposal can be approved"),
    "reviewer_may_sign": ("复核人可签署", "whether a reviewer may sign"),
    "records_kept": ("记录保存", "how long records are kept"),
}
PART_WORDS: Mapping[str, tuple[str, str]] = {
    "at_least": ("最低分", "at least"),
    "below": ("低于", "below"),
    "interval": ("监督间隔", "between visits"),
    "stars": ("星数", "stars"),
    "scored": ("是否计分", "whether it is scored"),
    "zh": ("中文名称", "Chinese name"),
    "en": ("英文名称", "English name"),
    "published_on": ("发布日", "published on"),
    "effective_from": ("生效日", "in force from"),
    "elements_note": ("要素说明", "note on the elements"),
    "template": ("模板", "template"),
    "method": ("方法", "method"),
    "total": ("总分", "total"),
    "conformity_required": ("须先符合", "conformity is required first"),
    "not_applicable_allowed": ("允许不适用", "what does not apply may be left out"),
    "deductions_fail_from": ("特殊扣分否决数", "special deductions that fail"),
    "bonus_cap": ("加分上限", "most bonus"),
    "knock_out.count": ("一票否决数", "nonconforming elements that fail"),
    "knock_out.elements": ("一票否决要素", "elements that count for that"),
    "last_decision_on": ("按旧版决定的最后日", "last day of decisions under the old edition"),
    "transition_ends_on": ("过渡期截止日", "end of the transition"),
    "afterwards": ("过渡期后", "what happens then"),
    "grade_at_adoption": ("换版时的等级", "grade at adoption"),
    "merged_elements": ("合并要素的上次检查", "when merged elements were last checked"),
    "new_elements": ("新增要素的首次检查", "when new elements are first checked"),
    "suspension": ("暂停", "suspension"),
    "withdrawal": ("撤销", "withdrawal"),
    "cancellation": ("注销", "cancellation"),
    "refusal": ("不予认证", "refusal"),
    "rejection": ("不受理", "rejection"),
    "reissue": ("换发", "re-issue"),
}
TABLE_WORDS: Mapping[str, tuple[str, str]] = {
    "elements": ("要素", "element"),
    "levels": ("等级", "level"),
    "deductions": ("特殊扣分", "special deduction"),
    "bonuses": ("加分", "bonus"),
    "certification_types": ("认证类型", "certification type"),
    "reasons": ("理由", "reason"),
    "upload": ("上报代码", "upload code"),
    "succession": ("过渡", "transition"),
    "scoring": ("计分", "scoring"),
    "edition": ("版本", "edition"),
    "numbers": ("证书编号", "certificate numbers"),
}
UNIT_WORDS: Mapping[str, str] = {
    "marks": "分",
    "months": "个月",
    "days": "天",
    "percent of the elements": "%（要素）",
    "elements": "个要素",
    "deductions": "项扣分",
}
KIND_WORDS: Mapping[str, tuple[str, str]] = {
    "same": ("不变", "is the same as"),
    "split": ("拆分为", "is split into"),
    "merged": ("合并为", "are merged into"),
    "dropped": ("取消", "is dropped"),
    "new": ("新增", "is new"),
}


class Difference(NamedTuple):
    """One value that changed; None where the key stands in one edition only. ``clause`` is the later one's source."""

    key: str
    before: str | None
    after: str | None
    clause: str | None
    zh: str
    en: str


def differences(old: Edition, new: Edition) -> Iterator[Difference]:
    """What changed, in the order of the later edition's text, then what is gone; last how elements were mapped."""
    was, now = _everything(old), _everything(new)
    for key in [*now, *(key for key in was if key not in now)]:
        before, after = was.get(key), now.get(key)
        if before is None or after is None or _said(before) != _said(after) or _source(before) != _source(after):
            yield _difference(key, before, after, (old, new))
    for row in new.succession.elements if new.succession else ():
        yield _mapped(row)


def in_words(stated: Parameter[Any], edition: Edition) -> tuple[str, str]:
    """What the edition states there, as people read it, in Chinese and English."""
    zh, en = _named(stated.key, edition, edition)
    if isinstance(stated.value, bool):
        return (f"{zh}：是", f"{en}: yes") if stated.value else (f"{zh}：否", f"{en}: no")
    said = _said(stated)
    return f"{zh}：{_in_chinese(stated, said)}", f"{en}: {said}"


def _everything(edition: Edition) -> dict[str, Parameter[Any]]:
    """What stands with a source, and what is said without one."""
    return dict(edition.stated) | {key: Parameter(key, value, "text", None) for key, value in _besides(edition)}


def _besides(edition: Edition) -> Iterator[tuple[str, Any]]:
    yield from (("edition.zh", edition.title), ("edition.en", edition.title_en))
    yield "edition.elements_note", edition.elements_note
    for code, level in edition.levels.items():
        yield from ((f"levels[{code}].stars", level.stars), (f"levels[{code}].zh", level.zh))
    for code, element in edition.elements.items():
        yield from ((f"elements[{code}].zh", element.zh), (f"elements[{code}].en", element.en))
    for code, each in edition.certification_types.items():
        yield from ((f"certification_types[{code}].scored", each.scored), (f"certification_types[{code}].zh", each.zh))
    if edition.scoring.knock_out is not None:
        yield "scoring.knock_out.elements", ", ".join(edition.scoring.knock_out.elements)


def _difference(
    key: str, before: Parameter[Any] | None, after: Parameter[Any] | None, editions: tuple[Edition, Edition]
) -> Difference:
    zh, en = _named(key, *editions)
    was, now = _said(before), _said(after)
    if was == now:
        was, now = (f"{was} ({_source(each)})" for each in (before, after))
    was_zh, now_zh = _in_chinese(before, was), _in_chinese(after, now)
    if before is None:
        zh, en = f"新增 {zh}：{now_zh}", f"{en} is new: {now}"
    elif after is None:
        zh, en = f"取消 {zh}（原为 {was_zh}）", f"{en} is gone (it was {was})"
    else:
        zh, en = f"{zh}：由 {was_zh} 变为 {now_zh}", f"{en}: from {was} to {now}"
    return Difference(key, was if before else None, now if after else None, after.clause if after else None, zh, en)


def _said(stated: Parameter[Any] | None) -> str:
    if stated is None:
        return "nothing"
    unit = "" if stated.unit in ("choice", "text", "day", "template") else f" {stated.unit}"
    return f"{stated.value}{unit}"


def _in_chinese(stated: Parameter[Any] | None, said: str) -> str:
    unit = stated.unit if stated else ""
    return said.replace(f" {unit}", f" {UNIT_WORDS[unit]}", 1) if unit in UNIT_WORDS else said


def _source(stated: Parameter[Any] | None) -> str:
    return (stated.clause if stated else None) or "假定 assumed"


_KEY = re.compile(r"(?P<table>\w+)(\[(?P<code>.+?)\])?(\.(?P<part>.+))?")


def _named(key: str, old: Edition, new: Edition) -> tuple[str, str]:
    """What people call the key."""
    if key.startswith("parameters."):
        return PARAMETER_WORDS[key.removeprefix("parameters.")]
    found = _KEY.fullmatch(key)
    table, code, part = found.group("table", "code", "part") if found else (key, None, None)
    own = (_coded(table, code, new) or _coded(table, code, old) or (code, code)) if code else ("", "")
    first, _, rest = (part or "").partition(".")
    words = PART_WORDS.get(part or "") or tuple(f"{word} {rest}" for word in PART_WORDS.get(first, (first, first)))
    names = zip(TABLE_WORDS.get(table, (table, table)), own, words, strict=True)
    zh, en = (" ".join(filter(None, each)).strip() for each in names)
    return zh, en


def _coded(table: str, code: str, edition: Edition) -> tuple[str, str] | None:
    entries: Mapping[str, Any] = {
        "levels": edition.levels, "elements": edition.elements, "certification_types": edition.certification_types,
        "deductions": edition.specials, "bonuses": edition.specials,
    }.get(table, {})  # fmt: skip
    entry = entries.get(code)
    number = f"{code} " if table == "elements" else ""
    return (f"{number}{entry.zh}", f"{number}{entry.en}") if entry else None


def _mapped(row: ElementRow) -> Difference:
    old, new = ", ".join(row.old), ", ".join(row.new)
    zh, en = KIND_WORDS[row.kind]
    subject, rest = (old, new) if old else (new, "")
    said = (f"要素 {subject} {zh} {rest}".strip(), f"element {subject} {en} {rest}".strip())
    return Difference("succession.elements", old or None, new or None, row.clause, *said)
