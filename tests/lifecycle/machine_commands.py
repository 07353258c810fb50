"""What the machine asks both accounts for, as ``lifecycle`` wants it: the model's words made into commands."""

from collections.abc import Callable
from typing import Any

from lifecycle import commands as c
from lifecycle import events as e
from tests.lifecycle.story import Story, decimal, reasons

Making = Callable[[Story, dict[str, Any], dict[str, Any]], c.Command]


def _decide(outcome: str, *because: str) -> Making:
    return lambda _, given, stamp: c.Decide(outcome=outcome, reasons=reasons(*because), **stamp)


def _submit(story: Story, given: dict[str, Any], stamp: dict[str, Any]) -> c.Command:
    application = story.history[0].fact
    return c.SubmitApplication(
        kind=given["kind"], organisation=application.organisation, scheme=application.scheme, holder="x", address="y",
        scope="z", certification_type="star" if given["scored"] else "conformity",
        accepts_conformity=given["accepts"], **stamp,
    )  # fmt: skip


def _plan(_: Story, given: dict[str, Any], stamp: dict[str, Any]) -> c.Command:
    return c.Plan(
        team=("ana",), on_site_from=given["on_site"], on_site_to=given["on_site"], draw=given["draw"], **stamp
    )


def _record(_: Story, given: dict[str, Any], stamp: dict[str, Any]) -> c.Command:
    findings = tuple(
        e.Finding(
            element,
            "nonconforming" if element in given["nonconforming"] else "conforming",
            None if marks is None else decimal(marks),
        )
        for element, marks in given["marks"].items()
    )
    return c.RecordAssessment(on_site_from=given["on_site"], on_site_to=given["on_site"], findings=findings, **stamp)


def _reissue(story: Story, _: dict[str, Any], stamp: dict[str, Any]) -> c.Command:
    return c.Reissue(reasons=reasons("name_changed"), holder=f"Holder {len(story.history)}", **stamp)


def _reinstate(story: Story, given: dict[str, Any], stamp: dict[str, Any]) -> c.Command:
    closed = story.certificate.suspension_reasons if given["closed"] else ()
    appeal = None if given["appeal"] is None else list(story.certificate.cases)[given["appeal"]]
    return c.Reinstate(grounds="put right", closed=closed, appeal=appeal, **stamp)


COMMANDS: dict[str, Making] = {
    "submit": _submit,
    "accept": lambda _, __, stamp: c.ReviewApplication(outcome="accepted", **stamp),
    "reject": lambda _, __, stamp: c.ReviewApplication(outcome="rejected", reasons=reasons("outside_scheme"), **stamp),
    "withdraw_application": lambda _, __, stamp: c.WithdrawApplication(**stamp),
    "plan": _plan,
    "record": _record,
    "close": lambda _, given, stamp: c.CloseNonconformity(element=given["element"], **stamp),
    "review": lambda _, __, stamp: c.ReviewAssessment(recommendation="x", **stamp),
    "refuse": _decide("refuse", "evidence_insufficient"),
    "maintain": _decide("maintain"),
    "change_grade": _decide("change_grade"),
    "renew": _decide("renew"),
    "request_visit": lambda _, __, stamp: c.RequestVisit(grounds="x", **stamp),
    "reissue": _reissue,
    "suspend": lambda _, given, stamp: c.Suspend(reasons=reasons("mark_misused"), ends_on=given["ends_on"], **stamp),
    "extend": lambda _, given, stamp: c.ExtendSuspension(
        reasons=reasons("mark_misused"), ends_on=given["ends_on"], **stamp
    ),
    "reinstate": _reinstate,
    "open_withdrawal": lambda _, __, stamp: c.ProceedToWithdrawal(
        step="open", reasons=reasons("requirements_not_met"), **stamp
    ),
    "drop_withdrawal": lambda _, __, stamp: c.ProceedToWithdrawal(step="drop", grounds="x", **stamp),
    "withdraw": lambda _, __, stamp: c.Withdraw(reasons=reasons("requirements_not_met"), **stamp),
    "cancel": lambda _, __, stamp: c.Cancel(reasons=reasons("holder_request"), **stamp),
    "appeal": lambda _, __, stamp: c.LodgeAppeal(against=1, grounds="x", **stamp),
    "complain": lambda _, __, stamp: c.LodgeComplaint(grounds="x", **stamp),
    "settle": lambda _, given, stamp: c.DecideDispute(upheld=given["upheld"], grounds="x", **stamp),
}
