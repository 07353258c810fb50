"""Deadlines as a calendar (RFC 5545), for the calendars that staff use already."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from icalendar import Calendar, Event

TITLES = {
    "visit": "监督到期 visit due",
    "renewal": "有效期届满 end of validity",
    "suspension_proposal": "提议暂停 propose suspension",
    "withdrawal_proposal": "提议撤销 propose withdrawal",
    "proposal": "提议失效 proposal lapses",
    "decide_again": "重新决定 decide again",
    "appeal_decision": "申诉决定 decide appeal",
    "complaint_decision": "投诉决定 decide complaint",
}


def calendar_of(deadlines: Iterable[Mapping[str, Any]], now: datetime) -> bytes:
    """One all-day entry a deadline."""
    calendar = Calendar()
    calendar.add("prodid", "-//certlife//deadlines//EN")
    calendar.add("version", "2.0")
    for deadline in deadlines:
        calendar.add_component(_entry(deadline, now))
    return calendar.to_ical()


def _entry(deadline: Mapping[str, Any], now: datetime) -> Event:
    entry = Event()
    entry.add("uid", f"{deadline['certificate_id']}-{deadline['kind']}-{deadline['subject']}@certlife")
    entry.add("dtstamp", now)
    entry.add("dtstart", deadline["due_on"])
    entry.add("dtend", deadline["due_on"] + timedelta(days=1))
    label = deadline["number"] or deadline["certificate_id"]
    entry.add("summary", f"{TITLES[deadline['kind']]}: {label}")
    entry.add("description", deadline["holder"])
    return entry
