"""A disputed life: a suspension appealed against and voided, a mark put right months later, a visit overdue."""

from __future__ import annotations

from lifecycle import commands as c
from lifecycle import events as e
from tests.corpus.boundaries import editions
from tests.lifecycle.story import Story, day, reasons

HOLDER = "北京安盾报警运营服务有限公司"
PHOTOS, REPORT, SERVED = "ab" * 32, "cd" * 32, "ef" * 32


def disputed() -> Story:
    """32 events from application to a second suspension."""
    story = Story("2023-01-10", editions=editions())
    case = story.applies(holder=HOLDER, address="北京市海淀区示范路 1 号", scope="报警运营服务（接警、复核、处警）")
    story.on("2023-01-12").accepted(case)
    story.on("2023-01-20").planned(case)
    story.on("2023-02-06").assessed(case, story.findings("2", nonconforming=("5.4.2",)), evidence=(PHOTOS,))
    story.on("2023-02-20").does("ana", c.CloseNonconformity(case=case, element="5.4.2", evidence=(REPORT,)))
    story.on("2023-02-24").reviewed(case)
    story.on("2023-03-10").decided(case, "grant")
    story.on("2023-03-12").does("reg", c.Issue())
    _suspended_in_vain(story)
    story.on("2024-03-01").visited()
    change = e.Change("/findings/5.2.1/marks", "6", "1.5")
    story.on("2024-09-20").corrected(story.version_of(e.AssessmentRecorded), change)
    story.on("2024-10-15").decided(case, "change_grade")
    reissue = c.Reissue(reasons=reasons("address_changed"), address="北京市朝阳区示范路 2 号")
    story.on("2025-02-01").does("reg", reissue)
    story.on("2025-06-10").ticks()
    story.suspended(reasons=reasons("surveillance_overdue"))
    return story


def _suspended_in_vain(story: Story) -> None:
    """Suspended, told, appealed against, and voided as the appeal orders."""
    founded = (e.Reason("complaint_founded", "two clients not answered in May"),)
    story.on("2023-11-06").suspended(reasons=founded, ends_on=day("2024-04-30"))
    suspended = story.version_of(e.CertificateSuspended)
    notice = c.Notify(of=suspended, served_on=day("2023-11-07"), proof_sha256=SERVED)
    story.on("2023-11-08").does("reg", notice)
    appeal = c.LodgeAppeal(against=suspended, grounds="线路由运营商中断。\nThe line was cut by the carrier.")
    story.on("2023-11-20").does("holder", appeal)
    case = story.case("appeal")
    story.on("2024-01-08").does(
        "dina", c.DecideDispute(case=case, upheld=True, grounds="the carrier's log confirms it")
    )
    void = c.Correct(target=suspended, reason="appeal upheld", void=True, appeal=case)
    story.on("2024-01-10").both(void, persons=("dan", "dora"))
