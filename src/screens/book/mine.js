/** The member's own bookings: what is ahead with its actions, and what was. */

import { h } from "../shared/dom.js";
import { isHeld } from "../shared/classes.js";
import { empty, tag, waiting } from "../shared/parts.js";
import { t } from "../shared/words.js";
import { card } from "./timetable.js";

const TONES = { checked_in: "good", no_show: "bad", late_cancelled: "bad", class_cancelled: "info" };

function ahead(screen) {
  return [...screen.bookings.values()].filter((booking) => isHeld(booking) && screen.classes.has(booking.class))
    .map((booking) => screen.classes.get(booking.class))
    .filter((found) => !["finished"].includes(found.status))
    .sort((a, b) => Date.parse(a.starts_at) - Date.parse(b.starts_at));
}

/** What is ahead, as cards. */
export function upNext(screen) {
  const found = ahead(screen);
  if (found.length === 0) return empty(t("mine.none"));
  return h("ul.classes", null, found.map((one) => card(screen, one, { withDay: true })));
}

export function mine(screen) {
  return h("div.narrow", null,
    h("section", { key: "ahead" }, h("h2", null, t("mine.ahead")), upNext(screen)),
    h("section", { key: "past" }, h("h2", null, t("mine.past")), history(screen)));
}

function history(screen) {
  if (!screen.past) return waiting(3);
  if (screen.past.items.length === 0) return empty(t("mine.no_past"));
  return [
    h("ul.lines", { key: "lines" }, screen.past.items.map((booking) => {
      const found = screen.classes.get(booking.class);
      return h("li", { key: booking.id },
        h("div", null, h("strong", null, found?.title ?? booking.class),
          h("p.about", null, found && `${screen.fmt.full(found.starts_at)} · ${screen.club(found.club)}`)),
        h("div.marks", null, tag(TONES[booking.status] ?? "plain", t(`status.${booking.status}`)),
          booking.late && tag("wait", t("mark.late")),
          booking.fee && tag("bad", screen.fmt.money(booking.fee))));
    })),
    screen.past.next && h("button.plain", { key: "more", type: "button", onclick: () => screen.attempt(() => screen.loadPast(true)) }, t("more")),
  ];
}
