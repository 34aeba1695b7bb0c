/** How the member stands: membership, clips, limits, strikes, ban and fees, each in words. */

import { h } from "../shared/dom.js";
import { left, waiting } from "../shared/parts.js";
import { t } from "../shared/words.js";

export function standing(screen) {
  const { fmt, standing: found, me, org } = screen;
  if (!found) return waiting(4);
  const { attendance } = org.policy;
  const today = fmt.date();
  const strikes = found.strikes ?? [];
  return h("div.narrow", null,
    found.banned_until && Date.parse(found.banned_until) > Date.now() && h("div.box.alert", { key: "ban", role: "note" },
      h("h2", null, t("standing.banned", { when: fmt.full(found.banned_until) })),
      h("p", null, t("standing.ban_left"), " ", left(fmt, found.banned_until))),
    h("section.box", { key: "membership" }, h("h2", null, t("standing.membership")), facts([
      [t("standing.name"), me.name],
      [t("standing.plan"), t(`plan.${me.membership.plan}`)],
      [t("standing.status"), t(`membership.${me.membership.status}`)],
      found.clips !== undefined && found.clips !== null && [t("standing.clips"), t("clips", { n: found.clips })],
      me.membership.valid_until && [t("standing.valid_until"), fmt.dayLong(me.membership.valid_until)],
      Array.isArray(me.membership.clubs) && [t("filter.club"), fmt.list(me.membership.clubs.map((id) => screen.club(id)))],
      ...(me.membership.frozen ?? []).filter((span) => span.until >= today)
        .map((span) => [t("standing.frozen"), `${fmt.dayShort(span.from)} – ${fmt.dayShort(span.until)}`]),
    ])),
    h("section.box", { key: "rules" }, h("h2", null, t("standing.rules")), facts([
      [t("standing.today"), found.daily_limit ? t("standing.of", { n: found.booked[today] ?? 0, of: found.daily_limit }) : fmt.number(found.booked[today] ?? 0)],
      [t("standing.upcoming"), fmt.number(found.upcoming)],
      [t("standing.open_fees"), fmt.money(found.open_fees)],
    ])),
    attendance.strikes !== null && h("section.box", { key: "strikes" }, h("h2", null, t("standing.strikes")),
      h("div.strikes", { role: "img", "aria-label": t("standing.of", { n: strikes.length, of: attendance.strikes }) },
        Array.from({ length: attendance.strikes }, (_, n) => h("i", { key: n, class: n < strikes.length ? "on" : "" }))),
      h("p", null, strikes.length ? t("standing.strike_count", { n: strikes.length }) : t("standing.no_strikes")),
      strikes.length > 0 && h("ul", null, strikes.map((strike) => h("li", { key: strike.booking },
        t("standing.strike", { at: fmt.short(strike.at), until: fmt.short(strike.counts_until) })))),
      h("p.hint", null, t("standing.strike_rule", { n: attendance.strikes, window: fmt.span(attendance.strike_window), ban: fmt.span(attendance.ban) }))));
}

/** Names and values, side by side. */
export function facts(pairs) {
  return h("dl.facts", null, pairs.filter(Boolean).map(([name, value]) =>
    h("div", { key: name }, h("dt", null, name), h("dd", null, value))));
}
