"""Periods as ISO 8601 writes them, in years, months, weeks and days, and the moment one of them leads to."""

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

PATTERN = r"^P(?=[0-9])([0-9]{1,3}Y)?([0-9]{1,4}M)?([0-9]{1,4}W)?([0-9]{1,5}D)?$"
MONTHS = 12
DAYS = 7
LONGEST_YEARS = 200


@dataclass(frozen=True)
class Period:
    """A time by the calendar: months first, then days."""

    months: int
    days: int

    def after(self, moment: datetime) -> datetime:
        """The moment that lies a period after another; a day that the month hasn't got is its last.

        PostgreSQL adds intervals the same way, but for what would lie beyond the calendar: that is its end.
        """
        try:
            return self._after(moment)
        except (ValueError, OverflowError):
            return datetime.max.replace(tzinfo=moment.tzinfo)

    def _after(self, moment: datetime) -> datetime:
        years, month = divmod(moment.year * MONTHS + moment.month - 1 + self.months, MONTHS)
        last = calendar.monthrange(years, month + 1)[1]
        moved = moment.replace(year=years, month=month + 1, day=min(moment.day, last))
        return moved + timedelta(days=self.days)


def period_of(text: str) -> Period:
    """`P30D`, `P2Y6M`, `P6W`. Raises ValueError for anything else, and for more than two centuries."""
    match = re.match(PATTERN, text)
    if match is None:
        raise ValueError("Say a period as ISO 8601 has them, for instance P30D, P18M or P10Y.")
    years, months, weeks, days = (int(part[:-1]) if part else 0 for part in match.groups())
    period = Period(years * MONTHS + months, weeks * DAYS + days)
    if period.months > LONGEST_YEARS * MONTHS or period.days > LONGEST_YEARS * 366:
        raise ValueError(f"At most {LONGEST_YEARS} years.")
    return period
