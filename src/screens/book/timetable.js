/** The week by day and club: one card a class, one action a card. */

import { h } from "../shared/dom.js";
import { about, isHeld, stateLine, stateOf } from "../shared/classes.js";
import { arrows, bar, choice, empty, icon, select, waiting } from "../shared/parts.js";
import { now } from "../shared/clock.js";
import { t } from "../shared/words.js";
import { upNext } from "./mine.js";

export function timetable(screen) {
  return h("div.columns", null,
    h("section.week", { key: "week", "aria-label": t("tab.classes") }, filters(screen), dayStrip(screen), list(screen)),
    h("aside.side", { key: "side", "aria-label": t("tab.mine") }, h("h2", null, t("tab.mine")), upNext(screen)));
}

function filters(screen) {
  const all = screen.shown?.map((id) => screen.classes.get(id)).filter(Boolean) ?? [];
  const categories = [...new Set(all.map((found) => found.category).filter(Boolean))].sort();
  const teachers = new Map(all.filter((found) => found.instructor).map(({ instructor }) => [instructor.id, instructor.name]));
  const { category, instructor } = screen.filter;
  if (category && !categories.includes(category)) categories.push(category);
  const set = (change) => { Object.assign(screen.filter, change); screen.update(); };
  return h("div.filters", { key: "filters" },
    screen.clubs.length > 1 && choice(t("filter.club"), screen.clubs.map((club) => [club.id, club.name]), screen.clubShown,
      (clubShown) => screen.show({ clubShown })),
    h("div.selects", { key: "selects" },
      h("label", { key: "category" }, h("span.sr", null, t("filter.category")),
        select("category", [["", t("filter.all_categories")], ...categories.map((one) => [one, words(one)])], category, (value) => set({ category: value }))),
      h("label", { key: "instructor" }, h("span.sr", null, t("filter.instructor")),
        select("instructor", [["", t("filter.all_instructors")], ...[...teachers].sort((a, b) => a[1].localeCompare(b[1]))], instructor, (value) => set({ instructor: value })))));
}

/** A category is the chain's own word. */
export const words = (category) => category.charAt(0).toUpperCase() + category.slice(1);

function dayStrip(screen) {
  const { fmt } = screen;
  const booked = new Set([...screen.bookings.values()].filter(isHeld)
    .map((booking) => screen.classes.get(booking.class) ?? booking).map((found) => found.starts_at && fmt.date(found.starts_at)));
  return h("div.days", { key: "days", role: "radiogroup", "aria-label": t("filter.day"), onkeydown: arrows },
    screen.days().map((day) => h("button.day", {
      key: day, type: "button", role: "radio", "aria-checked": String(day === screen.day), tabindex: day === screen.day ? "0" : "-1",
      "data-closed": String(screen.closedOn(day) !== undefined),
      "aria-label": [fmt.dayLong(day), screen.closedOn(day) !== undefined && t("day.closed_short"), booked.has(day) && t("day.booked")].filter(Boolean).join(", "),
      onclick: () => screen.show({ day }),
    },
    h("span", null, fmt.weekdayShort(day)), h("strong", null, fmt.dayNumber(day)),
    h("i", { class: booked.has(day) ? "dot on" : "dot" }))));
}

function list(screen) {
  const { category, instructor } = screen.filter;
  const heading = h("h2.date", { key: "date" }, screen.fmt.dayLong(screen.day));
  if (screen.loading) return [heading, h("div", { key: "bones" }, waiting(5))];
  const found = (screen.shown ?? []).map((id) => screen.classes.get(id)).filter(Boolean)
    .filter((one) => (!category || one.category === category) && (!instructor || one.instructor?.id === instructor));
  const over = found.filter((one) => Date.parse(one.starts_at) <= now() && !screen.bookingOf(one.id));
  const ahead = found.filter((one) => !over.includes(one));
  const closed = screen.closedOn(screen.day);
  const shut = closed !== undefined && h("div.closed", { key: "closed", role: "note" }, icon("warn"), h("p", null, t("day.closed", { reason: closed })));
  if (shut && ahead.length === 0) return [heading, shut];
  if (ahead.length === 0) return [heading, h("div", { key: "none" }, empty(t(found.length ? "day.over" : screen.shown?.length ? "day.filtered" : "day.empty")))];
  return [heading, shut, h("ul.classes", { key: "list" }, ahead.map((one) => card(screen, one)))];
}

/** One class: when, what, how it stands, and the one thing there is to do. */
export function card(screen, found, { withDay = false } = {}) {
  const booking = screen.bookingOf(found.id);
  const state = stateOf(screen.fmt, found, booking, (code, until) => screen.refusal(code, until));
  const label = (action) => `${t(`act.${action}`)}: ${found.title}, ${screen.fmt.moment(found.starts_at)}`;
  const button = (action, look) => action && h(`button.${look}`, {
    key: action, type: "button", "aria-label": label(action), "aria-busy": String(screen.busy.has(found.id)),
    "data-action": action, onclick: () => screen.act(action, found, booking),
  }, t(`act.${action}`));
  const look = { cancel: "plain", leave: "plain", queue: "soft" }[state.action] ?? "primary";
  return h(`li.card${withDay ? ".dated" : ""}`, { key: found.id, "data-class": found.id, "data-tone": state.tone, "data-mine": String(!!state.mine), "data-urgent": String(!!state.urgent) },
    h("div.when", null,
      h("strong", null, screen.fmt.time(found.starts_at)), h("span", null, screen.fmt.time(found.ends_at))),
    h("div.what", null,
      withDay && h("p.on", { key: "on" }, screen.fmt.day(screen.fmt.date(found.starts_at))),
      h("h3", null, found.title),
      h("p.about", null, withDay ? [screen.club(found.club), about(screen.fmt, found)].join(" · ") : about(screen.fmt, found)),
      found.min_age > 0 && h("p.about", null, t("min_age", { n: found.min_age }))),
    h("div.how", null,
      h("div.now", null, state.mine && icon(state.tone === "good" ? "check" : "clock"), stateLine(state)),
      found.status !== "cancelled" && !state.mine && bar(found.capacity - found.free, found.capacity, found.free === 0 ? "full" : "")),
    h("div.do", null, button(state.action, look), button(state.second, "plain")));
}
