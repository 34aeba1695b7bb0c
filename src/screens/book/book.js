/** `/book`: a member finds a class, books it, and sees what became of it. */

import { h } from "../shared/dom.js";
import { part, post, read, readAll } from "../shared/api.js";
import { at, now } from "../shared/clock.js";
import { note } from "../shared/dialogs.js";
import { addDays } from "../shared/format.js";
import { icon, tabs } from "../shared/parts.js";
import { isHeld } from "../shared/classes.js";
import { onDevice } from "../shared/keep.js";
import { Newest } from "../shared/newest.js";
import { Screen } from "../shared/screen.js";
import { t } from "../shared/words.js";
import { cancelWithPrice } from "./cancel.js";
import { mine } from "./mine.js";
import { standing } from "./standing.js";
import { timetable } from "./timetable.js";

const DAYS = 8;
const CLUB = "rollcall.club";

/**
 * What is said when a booking of the member's changed by itself: by what it was and what it is, so that it is said
 * however the news came, and after a connection that was down too.
 */
const NEWS = {
  "waitlisted booked": ["news.promoted", "good"], "offered booked": ["news.promoted", "good"],
  "waitlisted offered": ["news.offered", "wait"], "offered lapsed": ["news.lapsed", "bad"], "booked no_show": ["news.no_show", "bad"],
  "booked class_cancelled": ["news.class_cancelled", "bad"], "waitlisted class_cancelled": ["news.class_cancelled", "bad"],
  "offered class_cancelled": ["news.class_cancelled", "bad"], "checked_in class_cancelled": ["news.class_cancelled", "bad"],
};

class Book extends Screen {
  static words = ["book"];
  static roles = ["member"];

  tab = "classes";
  /** Classes by id, the shown day's among them. */
  classes = new Map();
  /** The member's bookings by id: what is ahead, and the last days. */
  bookings = new Map();
  /** What each booking was when it was last heard of. */
  #was = new Map();
  past = null;
  /** The days on which the shown club is closed. */
  closures = [];
  filter = { category: "", instructor: "" };
  loading = true;
  busy = new Set();
  #newest = { day: new Newest(), mine: new Newest(), standing: new Newest() };

  title() {
    return t("book.title");
  }

  async begin() {
    this.me = await read("/v1/me");
    const kept = onDevice.get(CLUB);
    const covered = this.me.membership.clubs;
    const fits = (id) => this.clubs.some((club) => club.id === id);
    this.clubShown = fits(kept) ? kept : Array.isArray(covered) && fits(covered[0]) ? covered[0] : this.clubs[0]?.id;
    this.day = this.fmt.date();
    await Promise.all([this.loadMine(), this.loadStanding()]);
    // Late in the evening the first day with something to show is tomorrow.
    await this.loadDay();
    if (!this.shown.some((id) => Date.parse(this.classes.get(id).starts_at) > now())) {
      this.day = addDays(this.day, 1);
      await this.loadDay();
    }
  }

  connected(feed) {
    feed.poll(() => Promise.all([this.loadDay(), this.loadMine()]));
    feed.watch("me", (doc) => this.#told(doc));
    this.#watchDay();
  }

  newDay() {
    if (this.day < this.fmt.date()) this.show({ day: this.fmt.date() });
  }

  days() {
    const today = this.fmt.date();
    return Array.from({ length: DAYS }, (_, n) => addDays(today, n));
  }

  // ---- what is known -------------------------------------------------------------------------------------------

  async loadDay() {
    const [club, day] = [this.clubShown, this.day];
    const take = this.#newest.day.asks();
    const [found, closures] = await Promise.all([this.classesOf(day, { club }), club ? readAll(`/v1/clubs/${part(club)}/closures`) : []]);
    if (!take() || club !== this.clubShown || day !== this.day) return;
    this.shown = found.map((one) => one.id);
    this.closures = closures;
    for (const one of found) this.classes.set(one.id, one);
    this.loading = false;
    this.#waitForChanges();
    this.update();
  }

  async loadClass(id) {
    const found = await read(`/v1/classes/${part(id)}`);
    this.classes.set(id, this.feed?.current(found, this.day) ?? found);
    this.update();
  }

  async loadMine() {
    const take = this.#newest.mine.asks();
    const found = await readAll("/v1/bookings", { when: "upcoming" });
    const missing = found.filter((booking) => !this.classes.has(booking.class));
    await Promise.allSettled(missing.map((booking) => this.loadClass(booking.class)));
    if (!take()) return;
    this.bookings = new Map(found.map((booking) => [booking.id, booking]));
    this.#tell();
    this.update();
  }

  async loadStanding() {
    const take = this.#newest.standing.asks();
    const found = await read(`/v1/members/${part(this.me.id)}/standing`);
    if (take()) this.standing = found;
    this.update();
  }

  async loadPast(more = false) {
    const page = await read("/v1/bookings", { when: "past", limit: 20, cursor: more ? this.past.next : undefined });
    const missing = page.items.filter((booking) => !this.classes.has(booking.class));
    await Promise.allSettled(missing.map((booking) => this.loadClass(booking.class)));
    this.past = { items: [...(more ? this.past.items : []), ...page.items], next: page.next };
    this.update();
  }

  /** Why the shown club is closed on a day, if it is. */
  closedOn(day) {
    return this.closures.find(({ from, to }) => from <= day && day <= to)?.reason;
  }

  bookingOf(id) {
    for (const booking of this.bookings.values()) if (booking.class === id && isHeld(booking)) return booking;
    const me = this.classes.get(id)?.me;
    return me && !this.bookings.has(me.booking) ? { id: me.booking, class: id, ...me } : undefined;
  }

  // ---- what comes by itself ------------------------------------------------------------------------------------

  #watchDay() {
    this.unwatchDay?.();
    if (!this.feed) return;
    this.unwatchDay = this.feed.watch(`day:${this.clubShown}:${this.day}`, (doc) => {
      for (const [id, face] of Object.entries(doc)) {
        const known = this.classes.get(id);
        if (!known) this.#again();
        else {
          if (known.status !== face.status || (known.free > 0) !== (face.free > 0)) this.#again();
          this.classes.set(id, { ...known, ...face });
        }
      }
      if (this.shown.some((id) => !(id in doc))) this.#again();
      this.update();
    });
  }

  /** Counts come with the change; what a class means to this member is asked for, soon and once. */
  #again() {
    this.againTimer ??= setTimeout(() => {
      this.againTimer = undefined;
      this.loadDay().catch(() => {});
    }, 150 + Math.random() * 350);
  }

  #told(doc) {
    this.#newest.mine.told();
    this.#newest.standing.told();
    this.bookings = new Map(Object.entries(doc.bookings));
    this.standing = doc.standing ?? this.standing;
    for (const booking of this.bookings.values()) {
      if (!this.classes.has(booking.class) && isHeld(booking)) this.loadClass(booking.class).catch(() => {});
    }
    this.#tell();
    this.#again();
    this.update();
  }

  #tell() {
    for (const { id, status, class: of, ...booking } of this.bookings.values()) {
      const news = NEWS[`${this.#was.get(id)} ${status}`];
      this.#was.set(id, status);
      const found = this.classes.get(of) ?? booking;
      // What the member does is answered where they did it.
      if (news && !this.busy.has(of)) note(t(news[0], { title: found.title, when: this.fmt.moment(found.starts_at) }), news[1]);
    }
  }

  /** A class that opens or closes does so at its instant, whoever announces it. */
  #waitForChanges() {
    this.stopWaiting?.();
    const instants = this.shown.flatMap((id) => {
      const { terms, starts_at } = this.classes.get(id);
      return [terms.opens_at, terms.cancel_by, terms.promote_until, terms.closes_at, starts_at];
    });
    const next = instants.filter((instant) => Date.parse(instant) > now()).sort((a, b) => Date.parse(a) - Date.parse(b))[0];
    this.stopWaiting = next && at(next, () => this.loadDay().catch(() => {}));
  }

  // ---- what the member does ------------------------------------------------------------------------------------

  show(change) {
    Object.assign(this, change);
    if (change.clubShown) onDevice.set(CLUB, change.clubShown);
    this.loading = true;
    this.shown = [];
    this.#watchDay();
    this.update();
    this.attempt(() => this.loadDay());
  }

  showTab(tab) {
    this.tab = tab;
    if (tab === "mine" && !this.past) this.attempt(() => this.loadPast());
    if (tab === "standing") this.attempt(() => this.loadStanding());
    this.update();
    scrollTo({ top: 0 });
  }

  async act(action, found, booking) {
    if (this.busy.has(found.id)) return;
    this.busy.add(found.id);
    this.update();
    const did = this.attempt(async () => {
      const done = await this.#do(action, found, booking);
      if (!done) return;
      this.#was.set(done.id, done.status);
      this.bookings = new Map(this.bookings).set(done.id, { ...this.bookings.get(done.id), ...done, offer_expires_at: done.offer_expires_at });
      note(t(`done.${done.status}`, { title: found.title, n: done.position, when: this.fmt.moment(found.starts_at) }),
        { booked: "good", waitlisted: "wait" }[done.status] ?? "info");
    });
    await did.finally(() => this.busy.delete(found.id));
    this.update();
    const alone = !this.shown.includes(found.id) && this.loadClass(found.id);
    await Promise.allSettled([alone, this.loadDay(), this.loadMine(), this.loadStanding()]);
    if (this.past) this.loadPast().catch(() => {});
  }

  #do(action, found, booking) {
    switch (action) {
      case "book": case "queue": case "take":
        return post(`/v1/classes/${part(found.id)}/bookings`, {});
      case "accept":
        return post(`/v1/bookings/${part(booking.id)}/accept`);
      default:
        return cancelWithPrice(this.fmt, found, booking);
    }
  }

  tools() {
    return this.ready && [h("span.hello", { key: "hello" }, this.me.name.split(" ")[0])];
  }

  view() {
    const ahead = [...this.bookings.values()].filter(isHeld).length;
    const badge = ahead > 0 && [h("span.badge", { "aria-hidden": "true" }, ahead)];
    const options = [
      ["classes", icon("calendar"), h("span", null, t("tab.classes"))],
      ["mine", icon("list"), h("span", null, t("tab.mine")), badge],
      ["standing", icon("person"), h("span", null, t("tab.standing"))],
    ];
    const panel = { classes: timetable, mine, standing }[this.tab];
    return [
      h("nav.bottom", { key: "nav", "aria-label": t("nav") }, tabs(t("nav"), options, this.tab, (tab) => this.showTab(tab))),
      h("div.panel", { key: this.tab, id: "panel", role: "tabpanel", "aria-labelledby": `tab-${this.tab}` }, panel(this)),
    ];
  }
}

customElements.define("rc-book", Book);
