"""Says what python-dateutil gives for each rule, and at which instants its classes begin by zoneinfo. Reads one JSON document
and writes one.

dateutil misreads three kinds of rules. Of these `right` has what RFC 5545 says, put together from what dateutil does read
rightly or, for weeks of the year, from `date.isocalendar`; `fault` names the kind:

- weekdays with and without a number: it gives days that are both, where BYDAY lists what is allowed;
- weeks of the year: it takes every day of a week where DTSTART says which ("Information, not contained in the rule […] [is]
  derived from the Start Time"), and tears weeks apart that begin in December;
- places in the first week: it counts them from DTSTART on, where they are those "within one interval of the recurrence rule"."""

import datetime
import itertools
import json
import sys
import types
import zoneinfo

import tzdata
from dateutil import rrule

ASKED = json.load(sys.stdin)
FIRST, LAST = (datetime.date.fromisoformat(ASKED[name]) for name in ("from", "to"))
DAY = datetime.timedelta(days=1)
# Places are counted in whole periods, also in the one that LAST lies in.
HORIZON = LAST + 400 * DAY
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

# A rule that dateutil finds nothing for is looked through to the year 9999, which takes minutes.
rrule.datetime = types.SimpleNamespace(**{**vars(datetime), "MAXYEAR": HORIZON.year})


def dateutil(parts, start):
    """The days from a first day to the horizon."""
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    begin = datetime.datetime.combine(start, datetime.time())
    days = (at.date() for at in rrule.rrulestr(text, dtstart=begin))
    return list(itertools.takewhile(lambda day: day <= HORIZON, days))


def fault_of(parts):
    by_day = parts.get("BYDAY", "").split(",")
    if {len(day) > 2 for day in by_day} == {True, False}:
        return "weekdays with and without a number"
    if "BYWEEKNO" in parts:
        return "weeks of the year"
    if parts["FREQ"] == "WEEKLY" and "BYSETPOS" in parts:
        return "places in the first week"
    return None


def right(fault, parts, start):
    """The days of a rule that dateutil misreads: of whole periods first, then by place, first day and count."""
    parts = dict(parts)
    count, places = parts.pop("COUNT", None), parts.pop("BYSETPOS", None)
    if fault == "weeks of the year":
        days, period = weeks(parts, start), lambda day: day.isocalendar()[0]
    elif parts["FREQ"] == "WEEKLY":
        parts.setdefault("BYDAY", WEEKDAYS[start.weekday()])
        into_week = lambda day: (day.weekday() - WEEKDAYS.index(parts.get("WKST", "MO"))) % 7
        days = dateutil(parts, start - into_week(start) * DAY)
        period = lambda day: day - into_week(day) * DAY
    else:
        monthly = parts["FREQ"] == "MONTHLY"
        begin = start.replace(day=1) if monthly else start.replace(month=1, day=1)
        halves = ([day for day in parts["BYDAY"].split(",") if (len(day) > 2) == numbered] for numbered in (True, False))
        days = sorted({day for half in halves for day in dateutil({**parts, "BYDAY": ",".join(half)}, begin)})
        period = lambda day: (day.year, day.month if monthly else 0)
    found = []
    for _, group in itertools.groupby(days, period):
        group = list(group)
        numbers = {int(place) for place in places.split(",")} if places else None
        found += [day for at, day in enumerate(group) if not numbers or {at + 1, at - len(group)} & numbers]
    found = [day for day in found if day >= start]
    return found[: int(count)] if count else found


def weeks(parts, start):
    """The days of a yearly rule by BYWEEKNO, weeks beginning on Mondays, and BYMONTH, with the weekday of the first day."""
    assert parts.get("WKST", "MO") == "MO"
    numbers = {int(number) for number in parts["BYWEEKNO"].split(",")}
    months = {int(month) for month in parts.get("BYMONTH", "1,2,3,4,5,6,7,8,9,10,11,12").split(",")}
    weekdays = parts.get("BYDAY", WEEKDAYS[start.weekday()]).split(",")
    for ahead in range(-400, (HORIZON - start).days):
        day = start + ahead * DAY
        year, week, weekday = day.isocalendar()
        last = datetime.date(year, 12, 28).isocalendar()[1]
        is_on = (year - start.isocalendar()[0]) % int(parts.get("INTERVAL", 1)) == 0
        if is_on and {week, week - last - 1} & numbers and WEEKDAYS[weekday - 1] in weekdays and day.month in months:
            yield day


def answer(one):
    start = datetime.date.fromisoformat(one["starts_on"])
    parts = dict(part.split("=") for part in one["rule"].split(";"))
    shown = lambda days: [day.isoformat() for day in days if FIRST <= day <= LAST]
    fault = fault_of(parts)
    found = shown(dateutil(parts, start))
    return {"dates": found, "fault": fault, "right": shown(right(fault, parts, start)) if fault else found,
            "instants": {zone: instants(one, zoneinfo.ZoneInfo(zone)) for zone in ASKED["zones"]}}


def instants(one, zone):
    # Of two equal times zoneinfo takes the first, and one that is skipped it reads with the offset before the gap.
    time = datetime.time.fromisoformat(one["time"])
    days = map(datetime.date.fromisoformat, one["days"])
    return [int(datetime.datetime.combine(day, time, zone).timestamp()) for day in days]


json.dump({"release": tzdata.IANA_VERSION, "rules": [answer(one) for one in ASKED["rules"]]}, sys.stdout)
