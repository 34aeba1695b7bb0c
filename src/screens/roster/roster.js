/** `/roster`: the instructor's classes of today, and the roll of each. */

import { h } from "../shared/dom.js";
import { differ } from "../shared/classes.js";
import { now } from "../shared/clock.js";
import { CLUBS_WATCHED_MAX } from "../shared/feed.js";
import { addDays } from "../shared/format.js";
import { Newest } from "../shared/newest.js";
import { choice, empty } from "../shared/parts.js";
import { bannerWords, Roll } from "../shared/roll.js";
import { Screen } from "../shared/screen.js";
import { t } from "../shared/words.js";

class Roster extends Screen {
  static words = ["door"];
  static roles = ["instructor", "staff", "admin"];

  list = [];
  #newest = new Newest();

  title() {
    return t("roster.title");
  }

  async begin() {
    this.clubShown = this.clubs[0]?.id;
    this.day = this.fmt.date();
    await this.loadDay();
  }

  get teaches() {
    return this.who.role === "instructor";
  }

  async loadDay() {
    const { day, clubShown } = this;
    const who = this.teaches ? { instructor: this.who.sub } : { club: clubShown };
    const take = this.#newest.asks();
    const found = await this.classesOf(day, who);
    if (!take() || day !== this.day || clubShown !== this.clubShown) return;
    this.list = found.filter((one) => one.status !== "cancelled");
    this.update();
  }

  connected(feed) {
    this.roll ??= new Roll(this);
    feed.poll(async () => {
      await Promise.all([this.loadDay(), this.roll.load()]);
    });
    this.#watchDay();
    this.#pick();
  }

  /** The class that is on, or the next. */
  #pick() {
    const current = this.list.find((found) => Date.parse(found.ends_at) > now()) ?? this.list.at(-1);
    this.roll.show(current?.id ?? null);
  }

  #watchDay() {
    this.unwatch?.forEach((stop) => stop());
    // Anywhere a class may become theirs.
    const clubs = this.teaches ? this.clubs.map((club) => club.id).slice(0, CLUBS_WATCHED_MAX) : [this.clubShown];
    this.unwatch = clubs.map((club) => this.feed.watch(`day:${club}:${this.day}`, (doc) => {
      const theirs = Object.entries(doc).filter(([, face]) => face.status !== "cancelled" && (!this.teaches || face.instructor?.id === this.who.sub));
      if (differ(this.list.filter((found) => found.club === club), Object.fromEntries(theirs))) this.loadDay().catch(() => {});
      this.list = this.list.map((found) => ({ ...found, ...doc[found.id] }));
      this.update();
    }));
  }

  newDay() {
    if (this.day < this.fmt.date()) this.show({ day: this.fmt.date() });
  }

  bannerWords() {
    return this.roll && bannerWords(this.roll, this.banner);
  }

  reconnected(back) {
    if (back) this.roll.taps.send();
  }

  async show(change) {
    Object.assign(this, change);
    await this.attempt(() => this.loadDay());
    this.#watchDay();
    this.#pick();
    this.update();
  }

  view() {
    const days = [this.fmt.date(), addDays(this.fmt.date(), 1)];
    return h("div.split", null,
      h("section.list", { key: "list", "aria-label": t("roster.classes") },
        !this.teaches && this.clubs.length > 1 && h("div", { key: "clubs" }, choice(t("roster.club"), this.clubs.map((club) => [club.id, club.name]), this.clubShown, (clubShown) => this.show({ clubShown }))),
        h("div", { key: "days" }, choice(t("roster.day"), days.map((day) => [day, this.fmt.day(day)]), this.day, (day) => this.show({ day }))),
        this.list.length === 0 ? empty(t("roster.none")) : h("ul.picks", { key: "picks" }, this.list.map((found) => this.#item(found)))),
      h("section.detail", { key: "detail", "aria-label": t("roll.title") }, this.roll.id ? this.roll.view() : empty(t("roster.choose"))));
  }

  #item(found) {
    const over = Date.parse(found.ends_at) <= now();
    return h("li", { key: found.id }, h("button.pick", {
      type: "button", "aria-pressed": String(found.id === this.roll.id), "data-over": String(over),
      onclick: () => { this.roll.show(found.id); this.update(); },
    },
    h("strong", null, this.fmt.time(found.starts_at)),
    h("span.grow", null, h("span.name", null, found.title), h("span.about", null, [found.room, this.teaches ? this.club(found.club) : found.instructor?.name].filter(Boolean).join(" · "))),
    h("span.count", null, t("roster.count", { n: found.checked_in, of: found.booked }))));
  }
}

customElements.define("rc-roster", Roster);
