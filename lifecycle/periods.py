"""Legal dates: days of Asia/Shanghai, months counted from an anchor.

Sources: Civil Code of the PRC, art. 200 (Gregorian years, months and days), 201 (the first day is not counted), 202 (a
period of months ends on the same day of the last month, or on its last day where it has none), 203 (the last day ends
at 24:00). No period here rolls over holidays.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

ZONE = ZoneInfo("Asia/Shanghai")
"""The zone in which a day is a legal day."""

ONE_DAY = timedelta(days=1)


def legal_day(instant: datetime) -> date:
    """The legal day on which the instant falls; 16:00 UTC already belongs to the next one.

    An instant without a zone is a ValueError: which day it falls on would depend on the machine.
    """
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a zone: {instant.isoformat()}")
    return instant.astimezone(ZONE).date()


def day_start(day: date) -> datetime:
    """The instant, in UTC, at which the legal day begins."""
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


@lru_cache(maxsize=65536)
def add_months(anchor: date, months: int) -> date:
    """The day so many months after the anchor, clamped to the last day of a shorter month.

    Always counted from the anchor, never from an earlier result: 31 January + 2 months is 31 March, although 31 January
    + 1 month + 1 month would be 28 March. Clause: Civil Code, art. 202.
    """
    return anchor + relativedelta(months=months)


def last_day_of_months(start: date, months: int) -> date:
    """The last day, until 24:00, of a period of months: six months from 15 January end on 15 July.

    The first day is not counted. Clause: Civil Code, art. 201 to 203.
    """
    return add_months(start, months)


def years_between_rounded_up(anchor: date, day: date) -> int:
    """How many years from the anchor reach the day: exactly 12 months are 1, one day more is 2; never less than 1."""
    years = max(1, day.year - anchor.year)
    return years if add_months(anchor, 12 * years) >= day else years + 1
