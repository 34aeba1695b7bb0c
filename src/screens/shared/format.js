/** Days, times, spans and money in the reader's language and the organisation's zone. */

import { now } from "./clock.js";
import { money } from "./money.js";

/** English with a 24-hour clock and the day before the month, as in the chains' countries. */
const LOCALES = { en: "en-GB", lt: "lt-LT", da: "da-DK", nb: "nb-NO" };

/** Formats for a language and a zone. */
export function formats(language, zone, currency) {
  const locale = LOCALES[language] ?? "en-GB";
  const dates = (options) => new Intl.DateTimeFormat(locale, { timeZone: zone, ...options });
  const clock = dates({ hour: "2-digit", minute: "2-digit" });
  const short = dates({ weekday: "short", day: "numeric", month: "short" });
  const full = dates({ day: "numeric", month: "short", year: "numeric" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const units = (unit, n, width = "long") =>
    new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: width }).format(n);
  const iso = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });

  const when = (instant) => new Date(instant);
  const date = (instant = now()) => iso.format(when(instant));
  const noon = (day) => new Date(`${day}T12:00:00Z`);
  const utc = (format) => new Intl.DateTimeFormat(locale, { ...format, timeZone: "UTC" });
  const daysAhead = (day) => Math.round((noon(day) - noon(date())) / 86_400_000);

  const self = {
    locale,
    zone,
    /** The local day of an instant, `2026-03-01`. */
    date,
    time: (instant) => clock.format(when(instant)),
    /** `today`, `tomorrow`, `Tuesday`, `12 March`: a local day as people say it. */
    day(day) {
      const ahead = daysAhead(day);
      if (ahead >= -1 && ahead <= 1) return relative.format(ahead, "day");
      if (ahead > 1 && ahead < 7) return utc({ weekday: "long" }).format(noon(day));
      return utc({ weekday: "short", day: "numeric", month: "short" }).format(noon(day));
    },
    dayLong: (day) => utc({ weekday: "long", day: "numeric", month: "long" }).format(noon(day)),
    month: (day) => utc({ month: "long" }).format(noon(day)),
    dayShort: (day) => utc({ day: "numeric", month: "short" }).format(noon(day)),
    /** Alone over a number, an abbreviation needs no point. */
    weekdayShort: (day) => utc({ weekday: "short" }).format(noon(day)).replace(/\.$/, ""),
    dayNumber: (day) => String(Number(day.slice(8))),
    /** Day and time: `today 18:00`, `Tuesday 18:00`. */
    moment: (instant) => `${self.day(date(instant))} ${clock.format(when(instant))}`,
    /** An instant long ago or far ahead. */
    full: (instant) => `${full.format(when(instant))} ${clock.format(when(instant))}`,
    daysAhead,
    short: (instant) => short.format(when(instant)),
    number: (n) => new Intl.NumberFormat(locale).format(n),
    percent: (share) => new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 }).format(share),
    money: ({ amount, currency: unit }) => money(locale, amount, unit ?? currency),
    minutes: (n) => units("minute", n, "short"),
    /** An ISO 8601 span, `PT1H30M`, in words. */
    span(text) {
      const [, weeks, days, hours, minutes, seconds] =
        /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text) ?? [];
      const parts = [["week", weeks], ["day", days], ["hour", hours], ["minute", minutes], ["second", seconds]]
        .filter(([, n]) => Number(n) > 0)
        .map(([unit, n]) => units(unit, Number(n)));
      return parts.length ? new Intl.ListFormat(locale, { type: "unit" }).format(parts) : units("minute", 0);
    },
    /** What is left: days and hours, hours and minutes, then a clock that counts seconds. */
    left(ms) {
      const total = Math.max(0, Math.ceil(ms / 1000));
      const [d, h, m, s] = [total / 86_400, (total % 86_400) / 3600, (total % 3600) / 60, total % 60].map(Math.floor);
      if (d > 0) return `${units("day", d, "short")} ${units("hour", h, "short")}`;
      if (h > 0) return `${units("hour", h, "short")} ${units("minute", m, "short")}`;
      return `${m}:${String(s).padStart(2, "0")}`;
    },
    list: (words) => new Intl.ListFormat(locale, { type: "conjunction" }).format(words),
    /** What the zone is called, where it differs from the device's now; else null. */
    foreignZone() {
      const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const offset = (timeZone) =>
        new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "shortOffset" })
          .formatToParts(now())
          .find((found) => found.type === "timeZoneName").value;
      if (offset(zone) === offset(here)) return null;
      return `${zone.split("/").pop().replaceAll("_", " ")} (${offset(zone)})`;
    },
  };
  return self;
}

/** The local day `n` days after another. */
export function addDays(day, n) {
  return new Date(Date.parse(`${day}T12:00:00Z`) + n * 86_400_000).toISOString().slice(0, 10);
}

/** The instant at which a zone's clocks show a local day and time. */
export function zoned(day, time, zone) {
  const wall = Date.parse(`${day}T${time}:00Z`);
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, hourCycle: "h23",
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const shown = (instant) => {
    const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    return Date.parse(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}Z`);
  };
  // Once for the offset of the guess, once more where the guess was on the other side of a change of clocks.
  let instant = wall - (shown(wall) - wall);
  instant -= shown(instant) - wall;
  return new Date(instant).toISOString();
}
