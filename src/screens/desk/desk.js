/** `/desk`: checks people in. At the reception with the day's classes and members beside it; with a kiosk's token alone. */

import { h } from "../shared/dom.js";
import { part, post } from "../shared/api.js";
import { differ } from "../shared/classes.js";
import { now } from "../shared/clock.js";
import { note } from "../shared/dialogs.js";
import { askMember, finder } from "../shared/find.js";
import { openMember } from "../shared/member.js";
import { inTab, onDevice } from "../shared/keep.js";
import { Newest } from "../shared/newest.js";
import { choice, empty } from "../shared/parts.js";
import { bannerWords, Roll } from "../shared/roll.js";
import { Screen } from "../shared/screen.js";
import { t } from "../shared/words.js";
import { Arrival } from "./arrival.js";

const CLUB = "rollcall.desk.club";
/** A kiosk stands in one club. Whoever sets it up says in which, once; a fresh sign-in asks again. */
const KIOSK_CLUB = "rollcall.kiosk.club";

class Desk extends Screen {
  static words = ["door"];
  static roles = ["staff", "admin", "kiosk"];

  list = [];
  search = {};
  #newest = new Newest();

  get kiosk() {
    return this.who.role === "kiosk";
  }

  get bare() {
    return this.who?.role === "kiosk";
  }

  title() {
    return t(this.kiosk ? "desk.kiosk" : "desk.title");
  }

  async begin() {
    const known = (id) => this.clubs.some((club) => club.id === id);
    const kept = this.kiosk ? this.who.club ?? inTab.get(KIOSK_CLUB) : onDevice.get(CLUB);
    this.clubShown = known(kept) ? kept : this.kiosk && this.clubs.length > 1 ? null : this.clubs[0]?.id;
    this.arrival = new Arrival(this);
    if (!this.kiosk) await this.loadDay();
  }

  connected(feed) {
    if (this.kiosk) {
      document.onkeydown = (event) => this.arrival.keys.down(event);
      return;
    }
    this.roll ??= new Roll(this);
    feed.poll(() => Promise.all([this.loadDay(), this.roll.load()]));
    this.#watchDay();
    const current = this.list.find((found) => Date.parse(found.terms.check_in_closes) > now());
    if (current) this.roll.show(current.id);
  }

  async loadDay() {
    const club = this.clubShown;
    const take = this.#newest.asks();
    const list = await this.classesOf(this.fmt.date(), { club });
    if (!take() || club !== this.clubShown) return;
    this.list = list;
    this.update();
  }

  #watchDay() {
    this.unwatch?.();
    this.unwatch = this.feed.watch(`day:${this.clubShown}:${this.fmt.date()}`, (doc) => {
      this.list = this.list.map((found) => ({ ...found, ...doc[found.id] }));
      if (differ(this.list, doc)) this.loadDay().catch(() => {});
      this.update();
    });
  }

  newDay() {
    if (!this.kiosk) this.show(this.clubShown);
  }

  async show(clubShown) {
    this.clubShown = clubShown;
    if (this.kiosk) inTab.set(KIOSK_CLUB, clubShown);
    else onDevice.set(CLUB, clubShown);
    this.arrival.clear();
    if (this.kiosk) return;
    this.roll.show(null);
    this.#watchDay();
    await this.attempt(() => this.loadDay());
  }

  bannerWords() {
    if (this.kiosk) return t(this.banner === "lost" ? "desk.kept" : "banner.back");
    return this.roll && bannerWords(this.roll, this.banner);
  }

  reconnected(back) {
    if (back) this.roll?.taps.send();
  }

  /** Somebody came in: what is shown beside follows at once. */
  changed() {
    if (this.feed.live || this.kiosk) return;
    this.loadDay().catch(() => {});
    this.roll.load().catch(() => {});
  }

  view() {
    if (this.kiosk) return h("div.kiosk", { key: "kiosk" }, this.clubShown ? this.arrival.kiosk() : this.#whichClub());
    const clubs = this.clubs.length > 1 &&
      h("div", { key: "clubs" }, choice(t("desk.club"), this.clubs.map((club) => [club.id, club.name]), this.clubShown, (club) => this.show(club)));
    return h("div.split", { key: "desk" },
      h("div.list", null, clubs, this.arrival.desk(),
        h("section.box", { key: "find", "aria-label": t("desk.find") }, finder(this, this.search, (member) => openMember(this, member).then(() => this.changed()))),
        h("section", { key: "today", "aria-label": t("desk.today") }, h("h2", null, t("desk.today")), this.#today())),
      h("section.detail", { key: "detail", "aria-label": t("roll.title") },
        this.roll.id ? this.roll.view({ tools: (found, at) => this.#rollTools(found, at) }) : empty(t("roster.choose"))));
  }

  #whichClub() {
    return [
      h("h1", { key: "which" }, t("desk.which_club")),
      h("ul.picks", { key: "clubs" }, this.clubs.map((club) => h("li", { key: club.id },
        h("button.plain.huge", { type: "button", onclick: () => this.show(club.id) }, club.name)))),
    ];
  }

  #today() {
    if (this.list.length === 0) return empty(t("roster.none"));
    const over = this.list.filter((found) => Date.parse(found.ends_at) <= now());
    const ahead = this.list.filter((found) => !over.includes(found));
    return [
      over.length > 0 && h("details", { key: "over" }, h("summary", null, t("desk.earlier", { n: over.length })), this.#picks(over)),
      ahead.length > 0 && h("div", { key: "ahead" }, this.#picks(ahead)),
    ];
  }

  #picks(list) {
    return h("ul.picks", null, list.map((found) => h("li", { key: found.id }, h("button.pick", {
      type: "button", "aria-pressed": String(found.id === this.roll.id), "data-over": String(Date.parse(found.ends_at) <= now()),
      onclick: () => { this.roll.show(found.id); this.update(); },
    },
    h("strong", null, this.fmt.time(found.starts_at)),
    h("span.grow", null, h("span.name", null, found.title), h("span.about", null, found.status === "cancelled" ? t("state.cancelled") : [found.room, found.instructor?.name].filter(Boolean).join(" · "))),
    h("span.count", null, t("roster.count", { n: found.checked_in, of: found.booked }))))));
  }

  #rollTools(found, at) {
    if (at.closed || found.status === "cancelled") return null;
    const book = (member, walkIn) => post(`/v1/classes/${part(found.id)}/bookings`, walkIn ? { member: member.id, walk_in: true } : { member: member.id });
    return h("div.row", null,
      at.open && h("button.primary.small", { type: "button", onclick: () => askMember(this, {
        title: t("desk.walk_in_title", { title: found.title }), label: t("desk.walk_in"),
        run: async (member) => { await book(member, true); note(t("desk.let_in", { name: member.name }), "good"); this.changed(); },
      }) }, t("desk.walk_in")),
      h("button.plain.small", { type: "button", onclick: () => askMember(this, {
        title: t("desk.book_title", { title: found.title }), label: t("desk.book_for"),
        run: async (member) => {
          const booking = await book(member, false);
          note(t("desk.booked", { name: member.name, status: t(`status.${booking.status}`) }), booking.status === "booked" ? "good" : "wait");
          this.changed();
        },
      }) }, t("desk.book_for")));
  }

  /** At the desk every name leads to the member. */
  rowTools(entry) {
    return h("button.plain.small.open", { type: "button", "aria-label": `${t("member.open")}: ${entry.name}`,
      onclick: () => openMember(this, { id: entry.member, name: entry.name }).then(() => this.changed()) }, t("member.open"));
  }
}

customElements.define("rc-desk", Desk);
