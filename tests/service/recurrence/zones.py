"""Says by zoneinfo how the clocks of zones change from 2024 to 2030. Reads one JSON document and writes one."""

import datetime
import json
import sys
import zoneinfo

import tzdata

ASKED = json.load(sys.stdin)
BEGIN, END = (int(datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc).timestamp()) for year in (2024, 2031))


def offset(at, zone):
    return int(datetime.datetime.fromtimestamp(at, zone).utcoffset().total_seconds())


def changes(zone):
    """Each instant at which the offset is another one, with that offset."""
    found, step = [], 6 * 3600
    for at in range(BEGIN, END, step):
        if offset(at, zone) == offset(at + step, zone):
            continue
        before, after = at, at + step
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (before, middle) if offset(middle, zone) == offset(after, zone) else (middle, after)
        found.append([after, offset(after, zone)])
    return found


def readings(zone, changed):
    """Each quarter of an hour about a change as a local time, and the instant it stands for."""
    found = []
    for at, _ in changed:
        middle = datetime.datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)
        for quarter in range(-16, 17):
            local = middle + datetime.timedelta(minutes=15 * quarter)
            found.append([local.isoformat(), int(local.replace(tzinfo=zone).timestamp())])
    return found


def near(name):
    zone = zoneinfo.ZoneInfo(name)
    changed = changes(zone)
    return {"changes": changed, "readings": readings(zone, changed)}


def far(name):
    zone = zoneinfo.ZoneInfo(name)
    return [offset(at, zone) for at in range(BEGIN, END, 7 * 86400)]


json.dump(
    {
        "release": tzdata.IANA_VERSION,
        "zones": {name: near(name) for name in ASKED["zones"]},
        "weekly": {name: far(name) for name in ASKED["all_zones"]},
    },
    sys.stdout,
)
