/** The classes of a day, in all clubs or one, with what needs a look first. */

import { h } from "../shared/dom.js";
import { differ } from "../shared/classes.js";
import { now } from "../shared/clock.js";
import { CLUBS_WATCHED_MAX } from "../shared/feed.js";
import { addDays } from "../shared/format.js";
import { Newest } from "../shared/newest.js";
import { bar, choice, empty, icon, tag, waiting } from "../shared/parts.js";
import { t } from "../shared/words.js";
import { publish } from "./form.js";
import { openClass } from "./panel.js";

/** Too few bookings are a worry once the decision about the minimum is this near. */
const SOON_MS = 6 * 3_600_000;

export class Classes {
  list = null;
  clubShown = "";
  #newest = new Newest();

  constructor(screen) {
    this.screen = screen;
    this.day = screen.fmt.date();
  }

  async load() {
    const { day, clubShown } = this;
    const take = this.#newest.asks();
    const list = await this.screen.classesOf(day, { club: clubShown });
    if (!take() || day !== this.day || clubShown !== this.clubShown) return;
    this.list = list;
    this.screen.update();
  }

  refresh() {
    return this.load();
  }

  watch() {
    this.stops?.forEach((stop) => stop());
    if (!this.screen.feed) return;
    const clubs = this.screen.clubs.filter((club) => !this.clubShown || club.id === this.clubShown).slice(0, CLUBS_WATCHED_MAX);
    this.stops = clubs.map((club) => this.screen.feed.watch(`day:${club.id}:${this.day}`, (doc) => {
      if (!this.list) return;
      if (differ(this.list.filter((found) => found.club === club.id), doc)) this.load().catch(() => {});
      this.list = this.list.map((found) => ({ ...found, ...doc[found.id] }));
      this.screen.update();
    }));
  }

  show(change) {
    Object.assign(this, change, { list: null });
    this.watch();
    this.screen.update();
    this.screen.attempt(() => this.load());
  }

  view() {
    const { fmt, clubs } = this.screen;
    return [
      h("div.bar-top", { key: "top" },
        h("div.row", { key: "days", role: "group", "aria-label": t("staff.day") },
          h("button.plain.round", { type: "button", "aria-label": t("staff.before"), onclick: () => this.show({ day: addDays(this.day, -1) }) }, "‹"),
          h("input.date", { type: "date", "aria-label": t("staff.day"), value: this.day, onchange: (event) => event.target.value && this.show({ day: event.target.value }) }),
          h("button.plain.round", { type: "button", "aria-label": t("staff.after"), onclick: () => this.show({ day: addDays(this.day, 1) }) }, "›"),
          h("button.plain", { type: "button", disabled: this.day === fmt.date(), onclick: () => this.show({ day: fmt.date() }) }, t("staff.today"))),
        h("div", { key: "clubs" }, clubs.length > 1 && choice(t("staff.club"), [["", t("staff.all_clubs")], ...clubs.map((club) => [club.id, club.name])], this.clubShown, (clubShown) => this.show({ clubShown }))),
        h("button.primary", { key: "new", type: "button", onclick: () => publish(this.screen, { club: this.clubShown || clubs[0]?.id, day: this.day }).then((done) => done && this.load()) }, icon("plus"), t("staff.new_class"))),
      h("h2.date", { key: "date" }, fmt.dayLong(this.day)),
      this.list && this.#totals(),
      !this.list ? h("div", { key: "wait" }, waiting(5))
        : this.list.length === 0 ? h("div", { key: "none" }, empty(t("staff.no_classes")))
        : h("ul.sessions", { key: "list" }, this.list.map((found) => this.#row(found))),
    ];
  }

  #totals() {
    const held = this.list.filter((found) => found.status !== "cancelled");
    const sum = (name) => held.reduce((all, found) => all + found[name], 0);
    const [capacity, booked] = [sum("capacity"), sum("booked")];
    const tile = (key, value, words) => h("div.tile", { key }, h("strong", null, value), h("span", null, words));
    return h("div.tiles", { key: "tiles" },
      tile("classes", this.screen.fmt.number(held.length), t("staff.classes")),
      tile("booked", this.screen.fmt.number(booked), t("staff.booked")),
      tile("fill", capacity ? this.screen.fmt.percent(booked / capacity) : "–", t("report.fill")),
      tile("waiting", this.screen.fmt.number(sum("waiting")), t("staff.waiting")),
      tile("came", this.screen.fmt.number(sum("checked_in")), t("status.checked_in")));
  }

  #row(found) {
    const { fmt } = this.screen;
    const over = Date.parse(found.ends_at) <= now();
    return h("li", { key: found.id }, h("button.session", {
      type: "button", "data-status": found.status, "data-over": String(over), "data-class": found.id,
      onclick: () => openClass(this.screen, found).then(() => this.load()),
    },
    h("span.when", null, h("strong", null, fmt.time(found.starts_at)), h("span.about", null, fmt.time(found.ends_at))),
    h("span.what", null, h("strong", null, found.title),
      h("span.about", null, [this.clubShown ? null : this.screen.club(found.club), found.room, found.instructor?.name].filter(Boolean).join(" · "))),
    h("span.marks", null,
      found.status === "cancelled" && tag("bad", t("status.cancelled")),
      found.status === "scheduled" && tag("info", t("state.opens", { when: fmt.moment(found.terms.opens_at) })),
      found.status === "open" && found.needed > 0 && tag(Date.parse(found.terms.decide_at) - now() < SOON_MS ? "bad" : "plain", t("state.needed", { n: found.needed })),
      found.status === "finished" && found.booked > 0 && found.checked_in === 0 && tag("wait", t("staff.nobody_came")),
      found.waiting > 0 && found.status !== "cancelled" && tag("wait", t("roll.waiting", { n: found.waiting }))),
    h("span.fill", null, h("span", null, h("strong", null, String(found.booked)), ` / ${found.capacity}`), bar(found.booked, found.capacity, found.booked >= found.capacity ? "full" : ""))));
  }
}
