/** What an edit of a series would do to the classes that are there, said before it is done. */

import { h } from "../shared/dom.js";
import { readAll } from "../shared/api.js";
import { now } from "../shared/clock.js";
import { ask } from "../shared/dialogs.js";
import { t } from "../shared/words.js";

/** Days that are named one by one; of more only the number is told. */
const NAMED_MAX = 8;

/** Fields of a series that say on which days it recurs. */
const RECURRENCE = ["starts_on", "rrule", "until", "exceptions"];

/** The id of the series and the date that a class of one belongs to. */
export function seriesOf(found) {
  const [, series, year, month, day] = /^(.+)~(\d{4})(\d\d)(\d\d)$/.exec(found.id) ?? [];
  return series && { series, date: `${year}-${month}-${day}` };
}

/** The names of an edit's fields whose value a class does not have from its series. */
export function differing(series, found, fields) {
  const { date } = seriesOf(found);
  const wanted = { ...series, ...series.changes?.[date] };
  const same = {
    time: found.starts_at.slice(0, 16) === `${date}T${wanted.time}`,
    minutes: Date.parse(found.ends_at) - Date.parse(found.starts_at) === wanted.minutes * 60_000,
    instructor: found.instructor?.id === wanted.instructor?.id && found.instructor?.name === wanted.instructor?.name,
    minimum: (wanted.minimum ?? found.minimum) === found.minimum,
  };
  for (const name of ["title", "room", "category", "capacity"]) same[name] = (found[name] ?? null) === (wanted[name] ?? null);
  return Object.keys(same).filter((name) => fields.includes(name) && !same[name]);
}

/** Says what the edit does and asks whether booked classes follow. Answers `unbooked` or `all`; undefined: not after all. */
export async function confirmReach(screen, series, body) {
  const from = new Date(now()).toISOString();
  const all = await readAll("/v1/classes", { club: series.club, from });
  const ahead = all.filter((found) => seriesOf(found)?.series === series.id && found.status !== "cancelled");
  const fields = Object.keys(body);
  const kept = ahead.map((found) => [found, differing(series, found, fields)]).filter(([, names]) => names.length > 0);
  const booked = ahead.filter((found) => found.booked + found.waiting > 0);
  if (ahead.length === 0 || (kept.length === 0 && booked.length === 0)) return "unbooked";
  const word = (name) => t(`changed.${name === "minutes" ? "time" : name}`);
  const names = (some) => [...new Set(some.map(word))].join(", ");
  return ask(screen.fmt, {
    title: t("series.sure_title", { title: series.title }),
    body: () => [
      h("p", { key: "ahead" }, t("series.sure_ahead", { n: ahead.length })),
      kept.length > 0 && h("div", { key: "kept" }, h("p", null, t("series.keeps")),
        h("ul.kept", null, kept.slice(0, NAMED_MAX).map(([found, some]) =>
          h("li", { key: found.id }, `${screen.fmt.dayShort(seriesOf(found).date)}: ${names(some)}`)),
        kept.length > NAMED_MAX && h("li", { key: "more" }, t("series.keeps_more", { n: kept.length - NAMED_MAX })))),
      booked.length > 0 && h("fieldset", { key: "booked" }, h("legend", null, t("series.booked", { n: booked.length })),
        [["unbooked", true], ["all", false]].map(([reach, checked]) => h("label.option", { key: reach },
          h("input", { type: "radio", name: "reach", value: reach, checked: checked || undefined }), h("span", null, t(`series.reach_${reach}`)))),
        ["time", "minutes"].some((name) => fields.includes(name)) && h("p.hint", { key: "moves" }, t("series.reach_moves")),
        RECURRENCE.some((name) => fields.includes(name)) && h("p.hint", { key: "drops" }, t("series.reach_drops"))),
    ],
    actions: [{ label: t("save"), run: async (form) => form.get("reach") ?? "unbooked" }],
  });
}

/** Asks whether one day is meant or all. Answers `day` or `series`. */
export function whichDays(screen, title) {
  return ask(screen.fmt, {
    title: t("series.which_title", { title }),
    body: () => h("p.hint", null, t("series.which_hint")),
    actions: [
      { label: t("series.this_day"), run: async () => "day" },
      { label: t("series.whole"), tone: "soft", run: async () => "series" },
    ],
  });
}
