"""Where clocks are put forward or back, recurring work neither comes twice nor stays away."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tenants.jobs.schedules import last_moment, next_moment

VIENNA, NEW_YORK, LORD_HOWE = "Europe/Vienna", "America/New_York", "Australia/Lord_Howe"
#: A cron line, a zone, a moment before its clocks change, and the next moments that the line names.
FIXED = {
    "an hour twice": (
        "0 2 * * *", VIENNA, "2027-10-30T12:00", ["2027-10-31T00:00", "2027-11-01T01:00", "2027-11-02T01:00"],
    ),
    "an hour left out": (
        "0 2 * * *", VIENNA, "2027-03-27T12:00", ["2027-03-28T01:00", "2027-03-29T00:00", "2027-03-30T00:00"],
    ),
    "within the hour that is left out": (
        "30 2 * * *", VIENNA, "2027-03-27T12:00", ["2027-03-28T01:00", "2027-03-29T00:30", "2027-03-30T00:30"],
    ),
    "every second hour": (
        "0 */2 * * *", VIENNA, "2027-10-30T22:30", ["2027-10-31T00:00", "2027-10-31T03:00", "2027-10-31T05:00"],
    ),
    "once a week": (
        "0 2 * * 0", VIENNA, "2027-10-30T12:00", ["2027-10-31T00:00", "2027-11-07T01:00", "2027-11-14T01:00"],
    ),
    "an hour twice, overseas": (
        "30 1 * * *", NEW_YORK, "2027-11-06T12:00", ["2027-11-07T05:30", "2027-11-08T06:30", "2027-11-09T06:30"],
    ),
    "an hour left out, overseas": (
        "15 2 * * *", NEW_YORK, "2027-03-13T12:00", ["2027-03-14T07:00", "2027-03-15T06:15", "2027-03-16T06:15"],
    ),
    "half an hour twice": (
        "45 1 * * *", LORD_HOWE, "2027-04-03T12:00", ["2027-04-03T14:45", "2027-04-04T15:15", "2027-04-05T15:15"],
    ),
    "beside the half hour that comes twice": (
        "15 1 * * *", LORD_HOWE, "2027-04-03T12:00", ["2027-04-03T14:15", "2027-04-04T14:45", "2027-04-05T14:45"],
    ),
    "half an hour left out": (
        "15 2 * * *", LORD_HOWE, "2027-10-02T12:00", ["2027-10-02T15:30", "2027-10-03T15:15", "2027-10-04T15:15"],
    ),
}  # fmt: skip
EVERY_HOUR = {
    "an hour twice": (
        "0 * * * *", VIENNA, "2027-10-30T23:30",
        ["2027-10-31T00:00", "2027-10-31T01:00", "2027-10-31T02:00", "2027-10-31T03:00"],
    ),
    "in words of its own": (
        "30 0-23 * * *", VIENNA, "2027-10-30T23:45", ["2027-10-31T00:30", "2027-10-31T01:30", "2027-10-31T02:30"],
    ),
    "an hour left out": (
        "0 * * * *", VIENNA, "2027-03-27T23:30", ["2027-03-28T00:00", "2027-03-28T01:00", "2027-03-28T02:00"],
    ),
    "an hour twice, overseas": (
        "0 * * * *", NEW_YORK, "2027-11-07T04:30", ["2027-11-07T05:00", "2027-11-07T06:00", "2027-11-07T07:00"],
    ),
    "half an hour twice": (
        "0 * * * *", LORD_HOWE, "2027-04-03T13:30", ["2027-04-03T14:00", "2027-04-03T15:30", "2027-04-03T16:30"],
    ),
    "every quarter in a half hour that comes twice": (
        "*/15 * * * *", LORD_HOWE, "2027-04-03T14:40",
        ["2027-04-03T14:45", "2027-04-03T15:00", "2027-04-03T15:15", "2027-04-03T15:30"],
    ),
}  # fmt: skip
CASES = [*FIXED.values(), *EVERY_HOUR.values()]
IDS = [*FIXED, *(f"every hour: {each}" for each in EVERY_HOUR)]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("cron", "zone", "before", "expected"), CASES, ids=IDS)
def test_work_for_hours_comes_once_and_work_for_every_hour_in_each_that_passes(
    cron: str, zone: str, before: str, expected: list[str]
) -> None:
    at, found = moment(before), []
    for _ in expected:
        at = next_moment(cron, zone, at)
        found.append(at)
    assert found == [moment(each) for each in expected]


@pytest.mark.parametrize(("cron", "zone", "before", "expected"), CASES, ids=IDS)
def test_whoever_looks_back_finds_the_same_moments(
    cron: str, zone: str, before: str, expected: list[str]
) -> None:
    for earlier, later in pairwise(map(moment, expected)):
        assert last_moment(cron, zone, later) == earlier
        assert last_moment(cron, zone, earlier + timedelta(seconds=1)) == earlier


@pytest.mark.parametrize("season", ["2027-03-01T12:00", "2027-09-25T12:00"])
@pytest.mark.parametrize("cron", ["0 2 * * *", "45 1 * * *", "0 0 * * *"])
@pytest.mark.parametrize("zone", [VIENNA, NEW_YORK, LORD_HOWE, "America/Havana"])
def test_what_is_planned_daily_comes_on_every_day_once(zone: str, cron: str, season: str) -> None:
    at = moment(season)
    assert len({at.astimezone(ZoneInfo(zone)).utcoffset(), _after_days(at, 50, zone)}) == 2, "clocks change"
    moments = [at]
    for _ in range(50):
        moments.append(next_moment(cron, zone, moments[-1]))
    days = {each.astimezone(ZoneInfo(zone)).date() for each in moments[1:]}
    assert len(days) == 50
    assert max(days) - min(days) == timedelta(days=49)


def _after_days(at: datetime, days: int, zone: str) -> timedelta | None:
    return (at + timedelta(days=days)).astimezone(ZoneInfo(zone)).utcoffset()
