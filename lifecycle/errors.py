"""Every refusal: a code, a clause, and the facts as attributes. A refusal records nothing.

The message says what was refused, why, and what would be accepted; it exists in English and Chinese and is built from
the facts alone. HTTP is not known here: ``kind`` says what sort of refusal it is, and one table at the edge maps it.
"""

from typing import Any, ClassVar, Literal

Kind = Literal[
    "invalid", "state", "conflict", "stale", "forbidden", "not_found", "unauthenticated", "unavailable", "too_large",
    "too_long", "too_slow", "unsupported",
]  # fmt: skip


class Refusal(Exception):
    """Something was asked for that cannot be done; ``facts`` says what stood in the way."""

    code: ClassVar[str]
    kind: ClassVar[Kind] = "state"
    clause: ClassVar[str] = "none"
    en: ClassVar[str]
    zh: ClassVar[str]

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.en.format(**facts))

    def message(self, language: str = "en") -> str:
        return (self.zh if language == "zh" else self.en).format(**self.facts)


# ---- what may happen when --------------------------------------------------------------------------------------------


class NotAllowedInStatus(Refusal):
    code = "not_allowed_in_status"
    clause = "Regulation on Certification and Accreditation, art. 21; CSP-S01-001:2021"
    en = "Cannot {act} {certificate} on {on}: it is {status} since {since}. Allowed when it is {allowed}."
    zh = "不能在 {on} 对 {certificate} 执行 {act}：自 {since} 起其状态为 {status}。允许的状态：{allowed}。"


class NotAllowedAtStage(Refusal):
    code = "not_allowed_at_stage"
    clause = "Regulation on Certification and Accreditation, art. 21"
    en = "Cannot {act} in case {case} of {certificate}: the {kind} case is {stage}. Allowed when it is {allowed}."
    zh = "不能在 {certificate} 的案件 {case} 中执行 {act}：该 {kind} 案件处于 {stage}。允许的阶段：{allowed}。"


class CaseUnknown(Refusal):
    code = "case_unknown"
    kind = "not_found"
    en = "{certificate} has no case {case}. Its cases are {cases}."
    zh = "{certificate} 没有案件 {case}。现有案件：{cases}。"


class CaseAlreadyOpen(Refusal):
    code = "case_already_open"
    en = "{certificate} has an open {kind} case already: {case}. Finish or withdraw it first."
    zh = "{certificate} 已有未结的 {kind} 案件：{case}。请先办结或撤回。"


class CertificateUnknown(Refusal):
    code = "certificate_unknown"
    kind = "not_found"
    en = "There is no certificate {certificate}."
    zh = "没有证书 {certificate}。"


class DocumentUnknown(Refusal):
    code = "document_unknown"
    kind = "not_found"
    en = "{certificate} has no document {document}. Its documents are {documents}."
    zh = "{certificate} 没有第 {document} 版证书文本。现有版次：{documents}。"


class DocumentNeverMade(Refusal):
    code = "document_never_made"
    en = "Document {document} of {certificate} was voided before it was made, so there is nothing to show."
    zh = "{certificate} 的第 {document} 版证书文本在制作之前已作废，无可提供。"


class Unprintable(Refusal):
    code = "unprintable"
    kind = "invalid"
    en = (
        "The {what} of {certificate} cannot be printed: the font of the documents has no glyph for {characters}. "
        "Accepted: text whose every character it has."
    )
    zh = "{certificate} 的 {what} 无法印制：证书字体没有字符 {characters}。请改用字体所含的字符。"


class OrganisationUnknown(Refusal):
    code = "organisation_unknown"
    kind = "not_found"
    en = "There is no organisation {organisation}. Register it first."
    zh = "没有组织 {organisation}。请先登记。"


class OrganisationKnown(Refusal):
    code = "organisation_known"
    kind = "conflict"
    en = "The unified code {unified_code} is registered already, as organisation {organisation}."
    zh = "统一社会信用代码 {unified_code} 已登记，组织编号 {organisation}。"


class UnifiedCodeMalformed(Refusal):
    code = "unified_code_malformed"
    kind = "invalid"
    clause = "GB 32100-2015"
    en = "The unified code {unified_code} is not valid: {problem}."
    zh = "统一社会信用代码 {unified_code} 无效：{problem}。"


class PersonUnknown(Refusal):
    code = "person_unknown"
    kind = "not_found"
    en = "There is no person {person}. An administrator registers persons."
    zh = "没有人员 {person}。请由管理员登记。"


class PersonKnown(Refusal):
    code = "person_known"
    kind = "conflict"
    en = "The person {person} is registered already."
    zh = "人员 {person} 已登记。"


class PersonErased(Refusal):
    code = "person_erased"
    en = "{person} was erased: that id acts no more, and no name, contact or key is taken for it. Register the person anew, under another id."
    zh = "人员 {person} 已被删除：该标识不再行事，也不再接受姓名、联系方式或密钥。如需要，请以另一标识重新登记。"


class ErasesOneself(Refusal):
    code = "erases_oneself"
    kind = "forbidden"
    en = "Nobody erases oneself: another administrator than {person} has to do it."
    zh = "任何人不得删除自己：须由 {person} 以外的另一名系统管理员执行。"


class MasterKeyMissing(Refusal):
    code = "master_key_missing"
    kind = "unavailable"
    en = "Names and contacts of persons are closed to this process: its master key ({kid}) is not in the folder of keys, or one of the two is not fit to be used. Put it right; nothing was changed."
    zh = "本进程无法读写人员的姓名和联系方式：主密钥（{kid}）不在密钥目录中，或密钥、目录不可用。请予修复；未作任何更改。"


class DetailsBroken(Refusal):
    code = "details_broken"
    kind = "unavailable"
    en = "What is kept of {person} does not open, or is not what the log vouches for: it was changed outside the register. Restore it, or give name and contact anew."
    zh = (
        "为人员 {person} 保存的资料无法解密，或与日志所证不符：其在登记册之外被改动。请恢复，或重新提供姓名和联系方式。"
    )


class KeyUnknown(Refusal):
    code = "key_unknown"
    kind = "not_found"
    en = "There is no key {key} in force."
    zh = "没有有效的密钥 {key}。"


class SchemeUnknown(Refusal):
    code = "scheme_unknown"
    kind = "invalid"
    en = "No edition of the scheme {scheme} is in force on {on}. Schemes in force: {known}."
    zh = "{on} 没有生效的 {scheme} 认证规则版本。生效的方案：{known}。"


class CertificationTypeUnknown(Refusal):
    code = "certification_type_unknown"
    kind = "invalid"
    en = "{edition} has no certification type {certification_type}. It has {known}."
    zh = "{edition} 没有认证类型 {certification_type}。可选：{known}。"


class ReasonUnknown(Refusal):
    code = "reason_unknown"
    kind = "invalid"
    en = "{edition} lists no reason {reason} for {act}. It lists {known}."
    zh = "{edition} 的 {act} 原因中没有 {reason}。可选：{known}。"


# ---- days ------------------------------------------------------------------------------------------------------------


class DayInFuture(Refusal):
    code = "day_in_future"
    kind = "invalid"
    en = "{what} {on} is later than today, {today}. Name a day up to today; an act for a later day is a proposal."
    zh = "{what} {on} 晚于今天 {today}。请填写不晚于今天的日期；以后生效的决定请作为提议提交。"


class BeforeLastStatusAct(Refusal):
    code = "before_last_status_act"
    en = "Cannot {act} {certificate} with effect on {on}: its last status act took effect on {last_on}. Earlier days only by correction."
    zh = (
        "不能以 {on} 为生效日对 {certificate} 执行 {act}：其最近一次状态变更于 {last_on} 生效。更早的日期只能通过勘误。"
    )


class BeforeItsGround(Refusal):
    code = "before_its_ground"
    en = "Cannot {act} with effect on {on}: it rests on {ground}, which is of {ground_on}. Accepted: that day or later."
    zh = "不能以 {on} 为生效日执行 {act}：其依据 {ground} 的日期为 {ground_on}。须为该日或之后。"


class DaysOutOfOrder(Refusal):
    code = "days_out_of_order"
    kind = "invalid"
    en = "{first_name} {first} must not be later than {second_name} {second}."
    zh = "{first_name} {first} 不得晚于 {second_name} {second}。"


class SuspensionTooLong(Refusal):
    code = "suspension_too_long"
    clause = "assumed: suspension at most 6 months in one episode"
    en = "The suspension cannot end on {ends_on}: its last possible day is {limit_on}."
    zh = "暂停不能到 {ends_on} 结束：最迟为 {limit_on}。"


class SuspensionEndNotLater(Refusal):
    code = "suspension_end_not_later"
    en = "The new end {ends_on} must be later than {ends_now_on} and not before today, {today}."
    zh = "新的结束日 {ends_on} 须晚于 {ends_now_on}，且不早于今天 {today}。"


# ---- assessment, grade, surveillance ---------------------------------------------------------------------------------


class FindingsRefused(Refusal):
    code = "findings_refused"
    kind = "invalid"
    en = "The findings are not accepted at {element}: {problem}. Accepted: {accepted}."
    zh = "评估结果在 {element} 处不被接受：{problem}。可接受：{accepted}。"


class NonconformityUnknown(Refusal):
    code = "nonconformity_unknown"
    kind = "invalid"
    en = "Case {case} has no open nonconformity at {element}. Open: {open}."
    zh = "案件 {case} 在 {element} 没有未关闭的不符合项。未关闭：{open}。"


class NonconformityOpen(Refusal):
    code = "nonconformity_open"
    clause = "CSP-S01-001:2021, conformity first"
    en = "Cannot {act} {certificate}: nonconforming and not closed: {elements}."
    zh = "不能对 {certificate} 执行 {act}：不符合且未关闭：{elements}。"


class NotGrantable(Refusal):
    code = "not_grantable"
    clause = "CSP-S01-001:2021, marks and conformity"
    en = "Case {case} of {certificate} was graded none ({because}): only refusal or withdrawal of the application can follow."
    zh = "{certificate} 的案件 {case} 未达到任何等级（{because}）：只能拒绝或撤回委托。"


class LevelNotLower(Refusal):
    code = "level_not_lower"
    en = "The marks after this visit give {level} ({because}); {certificate} is {current}. A visit can only lower it; a rise needs a regrade application."
    zh = "本次监督后的得分对应 {level}（{because}）；{certificate} 当前为 {current}。监督只能降级；升级须申请重新定级。"


class MarksNotKnown(Refusal):
    code = "marks_not_known"
    en = "Case {case} of {certificate} cannot be graded: under {edition} the marks of {elements} are not known until these are assessed. A regrade case, with a full assessment, can change the grade."
    zh = "{certificate} 的案件 {case} 不能定级：按 {edition}，要素 {elements} 的得分在重新评估前未知。可通过重新定级（全面评估）变更等级。"


class LevelUnchanged(Refusal):
    code = "level_unchanged"
    en = "{certificate} is {current}, and the assessment gives {level}: there is no change of grade to decide. Maintain or refuse."
    zh = "{certificate} 当前为 {current}，评估结果为 {level}：无等级变更可决定。请维持或拒绝。"


class LevelDiffers(Refusal):
    code = "level_differs"
    en = "{certificate} is {current}, and the assessment gives {level}: it cannot be maintained as it is. Change the grade or refuse."
    zh = "{certificate} 当前为 {current}，评估结果为 {level}：不能按原等级维持。请变更等级或拒绝。"


class DecisionSupported(Refusal):
    code = "decision_supported"
    en = "Case {case} of {certificate} is decided and its decision stands on its record: there is nothing to decide again."
    zh = "{certificate} 的案件 {case} 已决定且有记录支持：无须重新决定。"


class QuotaNotMet(Refusal):
    code = "quota_not_met"
    clause = "CSP-S01-001:2021, sampling: not less than 25 % of the elements each year"
    en = "The draw has {drawn} elements; this visit takes at least {quota}. The reproducible draw is {proposed}."
    zh = "抽样为 {drawn} 个要素；本次监督至少 {quota} 个。可复现的抽样为 {proposed}。"


class CoverageNotMet(Refusal):
    code = "coverage_not_met"
    clause = "CSP-S01-001:2021, sampling: every element within 4 years"
    en = "After this visit these elements would be unchecked for more than {months} months before {next_due_on}: {elements}. Check them in this visit."
    zh = "本次监督后，以下要素在 {next_due_on} 之前将超过 {months} 个月未检查：{elements}。请在本次监督中检查。"


class ElementUnknown(Refusal):
    code = "element_unknown"
    kind = "invalid"
    en = "{edition} has no element {element}."
    zh = "{edition} 没有要素 {element}。"


class VisitNotAfterLast(Refusal):
    code = "visit_not_after_last"
    en = "The on-site day {on_site_to} is not after the last check of {certificate}, {last_on}."
    zh = "现场日期 {on_site_to} 不晚于 {certificate} 上次检查日 {last_on}。"


class SurveillanceOverdueBlocksReinstatement(Refusal):
    code = "surveillance_overdue_blocks_reinstatement"
    clause = "CSP-S01-001:2021, surveillance"
    en = "Cannot reinstate {certificate} on {on}: its surveillance was due on {due_on}. Record that visit first."
    zh = "不能在 {on} 恢复 {certificate}：其监督应于 {due_on} 前完成。请先记录该次监督。"


class SuspensionReasonsOpen(Refusal):
    code = "suspension_reasons_open"
    en = "Cannot reinstate {certificate}: no closure is given for {reasons}."
    zh = "不能恢复 {certificate}：以下暂停原因未说明如何消除：{reasons}。"


class ReinstatementDayFixed(Refusal):
    code = "reinstatement_day_fixed"
    kind = "invalid"
    en = "A reinstatement takes effect on the day of decision, {today}; {on} cannot be named."
    zh = "恢复自决定之日 {today} 起生效；不能指定 {on}。"


class WithdrawalOpenBlocksCancellation(Refusal):
    code = "withdrawal_open_blocks_cancellation"
    en = "Cannot cancel {certificate} at the holder's request: a withdrawal has been open since {since}."
    zh = "不能应持证人请求注销 {certificate}：撤销程序自 {since} 起进行中。"


class WithdrawalAlreadyOpen(Refusal):
    code = "withdrawal_already_open"
    en = "A withdrawal of {certificate} has been open since {since}."
    zh = "{certificate} 的撤销程序自 {since} 起已在进行。"


class NoWithdrawalOpen(Refusal):
    code = "no_withdrawal_open"
    en = "No withdrawal of {certificate} is open."
    zh = "{certificate} 没有进行中的撤销程序。"


class Barred(Refusal):
    code = "barred"
    clause = "assumed: 12 months after withdrawal for cause"
    en = "The organisation may not apply under {scheme} until {until_on}: its certificate was withdrawn for cause."
    zh = "该组织在 {until_on} 之前不得申请 {scheme}：其证书曾因故被撤销。"


class NothingReissued(Refusal):
    code = "nothing_reissued"
    kind = "invalid"
    en = "The re-issue of {certificate} changes nothing: name a new holder, address or scope."
    zh = "{certificate} 的换发没有任何变化：请填写新的持证人、地址或范围。"


# ---- persons ---------------------------------------------------------------------------------------------------------


class RoleNotAllowed(Refusal):
    code = "role_not_allowed"
    kind = "forbidden"
    en = "The role {role} may not {act}. Allowed: {allowed}."
    zh = "角色 {role} 不能执行 {act}。允许：{allowed}。"


class SecondPersonNeeded(Refusal):
    code = "second_person_needed"
    kind = "forbidden"
    clause = "Regulation on Certification and Accreditation, art. 22: conclusions signed by two persons"
    en = "Two persons sign this act: {person} can propose it, and another person has to approve it."
    zh = "该决定须由两人签署：{person} 可提议，须由另一人批准。"


class StoodOnTeam(Refusal):
    code = "stood_on_team"
    kind = "forbidden"
    clause = "ISO/IEC 17065, 7.6.2; domain: nobody signs an act of a case on whose team that person ever stood"
    en = "{person} may not {act} in case {case}: that person stood on its team."
    zh = "{person} 不能在案件 {case} 中执行 {act}：该人员曾在其评估组中。"


class ReviewedCase(Refusal):
    code = "reviewed_case"
    kind = "forbidden"
    en = (
        "{person} may not {act} in case {case}: that person reviewed it, and {edition} keeps review and decision apart."
    )
    zh = "{person} 不能在案件 {case} 中执行 {act}：该人员复核过本案，{edition} 要求复核与决定分离。"


class NotOnTeam(Refusal):
    code = "not_on_team"
    kind = "forbidden"
    en = "{person} may not {act} in case {case}: only its team may. The team is {team}."
    zh = "{person} 不能在案件 {case} 中执行 {act}：仅限评估组成员。评估组：{team}。"


class InvolvedInAppealed(Refusal):
    code = "involved_in_appealed"
    kind = "forbidden"
    clause = "ISO/IEC 17065, 7.13.5"
    en = "{person} may not decide case {case}: that person assessed or decided what it is about."
    zh = "{person} 不能决定案件 {case}：该人员参与过所涉事项的评估或决定。"


class ConflictOfInterest(Refusal):
    code = "conflict_of_interest"
    kind = "forbidden"
    clause = "ISO/IEC 17065, 4.2"
    en = "{person} has declared a conflict of interest with this organisation."
    zh = "{person} 已声明与该组织存在利益冲突。"


class ProposalUnknown(Refusal):
    code = "proposal_unknown"
    kind = "not_found"
    en = "There is no proposal {proposal}. Open proposals: {open}."
    zh = "没有提议 {proposal}。待批准的提议：{open}。"


class ProposalClosed(Refusal):
    code = "proposal_closed"
    en = "Proposal {proposal} was {state} already."
    zh = "提议 {proposal} 已经{state}。"


class ProposalLapsed(Refusal):
    code = "proposal_lapsed"
    en = "Proposal {proposal} could be approved until {expires_on}. Propose it again."
    zh = "提议 {proposal} 的批准期限为 {expires_on}。请重新提议。"


class ProposalNotYet(Refusal):
    code = "proposal_not_yet"
    en = "Proposal {proposal} names {act_on} and can be approved from that day on."
    zh = "提议 {proposal} 指定 {act_on}，自该日起方可批准。"


class DigestDiffers(Refusal):
    code = "digest_differs"
    kind = "conflict"
    en = "The digest {digest} is not that of proposal {proposal}, {expected}. Read the proposal again before you approve it."
    zh = "摘要 {digest} 与提议 {proposal} 的摘要 {expected} 不符。批准前请重新阅读提议。"


# ---- corrections, appeals --------------------------------------------------------------------------------------------


class FactUnknown(Refusal):
    code = "fact_unknown"
    kind = "invalid"
    en = "{certificate} has no event with version {version}; it has versions 1 to {last}."
    zh = "{certificate} 没有版本为 {version} 的事件；现有版本 1 至 {last}。"


class EventOfAnother(Refusal):
    code = "event_of_another"
    kind = "invalid"
    en = "Event {event} is not one of {certificate}: an appeal is lodged with the certificate whose event it disputes."
    zh = "事件 {event} 不属于 {certificate}：申诉须向所争议事件的证书提出。"


class CorrectionNotCorrected(Refusal):
    code = "correction_not_corrected"
    kind = "invalid"
    en = "Event {version} is itself a correction, of event {original}. A correction is not corrected: correct event {original} again."
    zh = "事件 {version} 本身是对事件 {original} 的勘误。勘误不可再勘误：请对事件 {original} 重新勘误。"


class NotCorrectable(Refusal):
    code = "not_correctable"
    kind = "invalid"
    en = "{path} of {topic} cannot be corrected. Correctable there: {allowed}."
    zh = "{topic} 的 {path} 不可勘误。可勘误：{allowed}。"


class NotVoidable(Refusal):
    code = "not_voidable"
    kind = "invalid"
    en = "{topic} cannot be voided. Voidable: {allowed}."
    zh = "{topic} 不能作废。可作废：{allowed}。"


class VoidNeedsAppeal(NotVoidable):
    en = "{topic} is voided only on an upheld appeal against it: cite its case as `appeal`."
    zh = "{topic} 只能依据对其作出的、已获支持的申诉作废：请在 `appeal` 中引用该申诉案件。"


class CorrectedValueDiffers(Refusal):
    code = "corrected_value_differs"
    kind = "conflict"
    en = "{path} of version {version} is {is_now}, not {old}: the correction was written for another state."
    zh = "版本 {version} 的 {path} 现为 {is_now}，而非 {old}：该勘误针对的是另一状态。"


class CorrectionMalformed(Refusal):
    code = "correction_malformed"
    kind = "invalid"
    en = "The correction of version {version} is not accepted: {problem}."
    zh = "对版本 {version} 的勘误不被接受：{problem}。"


class ChangesOrVoid(CorrectionMalformed):
    en = "The correction of version {version} is not accepted: give either changes or void, and one of them."
    zh = "对版本 {version} 的勘误不被接受：请给出 changes 或 void，且仅其一。"


class WasVoided(CorrectionMalformed):
    en = "The correction of version {version} is not accepted: it was voided."
    zh = "对版本 {version} 的勘误不被接受：该事件已作废。"


class CorrectionMakesIllegal(Refusal):
    code = "correction_makes_illegal"
    en = (
        "The correction is refused: with it, event {version} ({topic}) of {certificate} would not be lawful: {problem}."
    )
    zh = "拒绝勘误：更正后 {certificate} 的事件 {version}（{topic}）将不合规：{problem_zh}。"


class AppealNotUpheld(Refusal):
    code = "appeal_not_upheld"
    en = "Case {appeal} of {certificate} orders nothing here: an act may cite only an appeal lodged after event {since}, which it undoes, and decided and upheld."
    zh = "{certificate} 的案件 {appeal} 不能作为依据：只能引用在所撤销的事件 {since} 之后提出并已作出支持决定的申诉。"


class AppealTooLate(Refusal):
    code = "appeal_too_late"
    clause = "assumed: appeal lodged within 30 days after notice was served"
    en = "The appeal against version {version} could be lodged until {until_on}."
    zh = "对版本 {version} 的申诉期限为 {until_on}。"


class FileUnknown(Refusal):
    code = "file_unknown"
    kind = "not_found"
    en = "There is no file {sha256}."
    zh = "没有文件 {sha256}。"


class NoNotice(Refusal):
    code = "no_notice"
    kind = "not_found"
    en = "There is no notice of event {version} ({topic}) of {certificate}. A notice is made of: {made_of}."
    zh = "{certificate} 的事件 {version}（{topic}）没有通知书。可制作通知书的事件：{made_of}。"


class NoticeOfVoided(Refusal):
    code = "notice_of_voided"
    en = "There is no notice of event {version} ({topic}) of {certificate} to serve any more: the event was voided."
    zh = "{certificate} 的事件 {version}（{topic}）已作废，不再制作通知书。"


class NoticeNotServed(Refusal):
    code = "notice_not_served"
    kind = "not_found"
    en = "No notice of event {version} of {certificate} that is kept here was served yet."
    zh = "{certificate} 的事件 {version} 尚无已送达且存档的通知书。"


class NoticeNotKept(Refusal):
    code = "notice_not_kept"
    kind = "invalid"
    en = "The notice {sha256} is not kept. Fetch it from GET /certificates/{certificate}/notices/{of}, or bring what was served to POST /files, and give that digest."
    zh = "未保存摘要为 {sha256} 的通知书。请先从 GET /certificates/{certificate}/notices/{of} 取得，或将实际送达的文本提交至 POST /files，再填写其摘要。"


# ---- editions, rehearsals, adoption ----------------------------------------------------------------------------------


class EditionMalformed(Refusal):
    code = "edition_malformed"
    kind = "invalid"
    en = "The edition is not accepted: {key}: expected {expected}, found {found}."
    zh = "认证规则版本不被接受：{key}：应为 {expected}，实际为 {found}。"


class EditionKnown(Refusal):
    code = "edition_known"
    kind = "conflict"
    en = "{edition} is published already, with digest {published}; this text has {digest}. Give a new text an id of its own."
    zh = "{edition} 已发布，摘要为 {published}；此文本的摘要为 {digest}。新文本请使用新的编号。"


class EditionUnknown(Refusal):
    code = "edition_unknown"
    kind = "invalid"
    en = "There is no published edition {edition}. Published: {known}."
    zh = "没有已发布的认证规则版本 {edition}。已发布：{known}。"


class SchemeNotKept(Refusal):
    code = "scheme_not_kept"
    kind = "not_found"
    en = "This register keeps no scheme {scheme}."
    zh = "本登记册没有方案 {scheme}。"


class RehearsalUnknown(Refusal):
    code = "rehearsal_unknown"
    kind = "not_found"
    en = "There is no rehearsal {rehearsal}."
    zh = "没有演练 {rehearsal}。"


class RehearsalNotCompleted(Refusal):
    code = "rehearsal_not_completed"
    en = "The rehearsal {rehearsal} is not completed yet: there is nothing to approve or adopt."
    zh = "演练 {rehearsal} 尚未完成：没有可批准或采用的内容。"


class RehearsalDiffers(Refusal):
    code = "rehearsal_differs"
    kind = "conflict"
    en = "The rehearsal is of the edition with digest {digest} at position {log_position}. Read it again before you approve it."
    zh = "该演练针对摘要为 {digest} 的版本，位置为 {log_position}。批准前请重新阅读。"


class AuthorMayNotApprove(Refusal):
    code = "author_may_not_approve"
    kind = "forbidden"
    en = "{person} wrote {edition}, and may not approve its rehearsal."
    zh = "{person} 是 {edition} 的作者，不得批准其演练。"


class ApprovedAlready(Refusal):
    code = "approved_already"
    kind = "conflict"
    en = "{subject} is approved already by {approved}. Wanted: {wanted}."
    zh = "{subject} 已由 {approved} 批准。尚需：{wanted}。"


class NotInRehearsal(Refusal):
    code = "not_in_rehearsal"
    kind = "not_found"
    en = "The rehearsal has no line for the certificate {certificate}."
    zh = "该演练中没有证书 {certificate}。"


class RehearsalNotApproved(Refusal):
    code = "rehearsal_not_approved"
    en = "The rehearsal wants the approval of one scheme_manager and one decision_maker. Missing: {missing}."
    zh = "该演练须由一名方案管理员和一名认证决定人批准。尚缺：{missing}。"


class EditionNotInForce(Refusal):
    code = "edition_not_in_force"
    en = "{edition} takes effect on {effective_from}: it can be adopted from that day on."
    zh = "{edition} 自 {effective_from} 起生效：自该日起方可采用。"


class EditionSucceedsNone(Refusal):
    code = "edition_succeeds_none"
    en = "{edition} does not say which edition it takes the place of: it has no [succession]."
    zh = "{edition} 未说明其取代的版本：缺少 [succession]。"


class NoAdoptionToHalt(Refusal):
    code = "no_adoption_to_halt"
    en = "No adoption of this rehearsal is under way: it is {state}."
    zh = "该演练没有进行中的采用：其状态为 {state}。"


# ---- requests --------------------------------------------------------------------------------------------------------


class Malformed(Refusal):
    code = "malformed"
    kind = "invalid"
    en = "The request is not accepted: {problem}."
    zh = "请求不被接受：{problem}。"


class StaleVersion(Refusal):
    code = "stale_version"
    kind = "stale"
    en = "{certificate} is at version {version}, not {expected}. Read it again."
    zh = "{certificate} 的版本为 {version}，而非 {expected}。请重新读取。"


class LostRace(Refusal):
    code = "conflict"
    kind = "conflict"
    en = "Somebody else changed {certificate} at the same moment. Nothing was recorded; read it again and decide again."
    zh = "他人在同一时刻修改了 {certificate}。未作任何记录；请重新读取后再决定。"


class IdempotencyKeyReused(Refusal):
    code = "idempotency_key_reused"
    kind = "invalid"
    en = "The idempotency key {key} was used for another request. Use a new key for a new request."
    zh = "幂等键 {key} 已用于另一请求。新的请求请使用新的键。"


class UnderRepair(Refusal):
    code = "under_repair"
    kind = "unavailable"
    en = "The record of {subject} is under repair; its status cannot be told at the moment."
    zh = "{subject} 的记录正在修复，暂时无法给出状态。"
