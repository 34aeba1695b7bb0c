/** The roll of one class: who is on it, who has come, who waits. Shown to the instructor and at the desk. */

import { h } from "./dom.js";
import { part, read } from "./api.js";
import { now } from "./clock.js";
import { note } from "./dialogs.js";
import { Newest } from "./newest.js";
import { bar, empty, icon, left, tag, waiting } from "./parts.js";
import { problemWords } from "./problems.js";
import { Taps } from "./taps.js";
import { t } from "./words.js";

/** A longer list than this has a field that narrows it. */
const AT_A_GLANCE = 15;
const TAKEN = { "check-in": true, "undo-check-in": false };

export class Roll {
  id = null;
  found = null;
  entries = null;
  gone = null;
  sought = "";
  #newest = new Newest();

  constructor(screen) {
    this.screen = screen;
    this.sent = 0;
    this.taps = new Taps({
      onChange: () => screen.update(),
      onDone: (tap, booking) => {
        this.sent += 1;
        const entry = this.entries?.get(tap.booking);
        if (entry) this.entries.set(tap.booking, { ...entry, ...booking, name: entry.name });
        screen.rollChanged?.(booking);
        if (this.id && !screen.feed?.live) this.load().catch(() => {});
      },
      onRefused: (tap, problem) =>
        note(this.#refusal(tap, problemWords(screen.fmt, problem)), "bad"),
    });
  }

  /** A tap that was kept over a reload has lost its name; the list may have it. */
  #refusal(tap, why) {
    const name = tap.name ?? this.entries?.get(tap.booking)?.name;
    return name ? t("roll.refused", { name, why }) : t("roll.refused_kept", { why });
  }

  /** Shows another class, or none. */
  show(id) {
    this.unwatch?.();
    this.unwatch = undefined;
    Object.assign(this, { id, found: null, face: null, entries: null, gone: null, sought: "" });
    if (!id) return;
    this.screen.attempt(() => this.load());
    this.unwatch = this.screen.feed.watch(`roster:${id}`, (doc) => {
      if (this.id !== id) return;
      this.#newest.told();
      this.face = doc.class;
      this.found = { ...this.found, ...doc.class };
      const fresh = Object.entries(doc.bookings).map(([booking, entry]) => [booking, { id: booking, position: undefined, ...entry }]);
      this.entries = new Map(fresh);
      this.screen.update();
    }, (code) => {
      // Refused for good, not merely out of reach: another instructor has taken over.
      if (this.id === id && code === "forbidden") { this.gone = code; this.entries = null; this.screen.update(); }
    });
  }

  async load() {
    const id = this.id;
    if (!id) return;
    const take = this.#newest.asks();
    const roster = await read(`/v1/classes/${part(id)}/roster`);
    if (this.id !== id) return;
    const newer = take();
    // The terms come with an answer alone, however old.
    this.found = { ...this.found, ...roster.class, ...(newer ? {} : this.face) };
    if (newer) this.entries = new Map([...roster.bookings, ...roster.waitlist].map((entry) => [entry.id, entry]));
    this.screen.update();
  }

  /** Where check-in stands: words, and whether taps make sense now. */
  #window() {
    const { terms, status } = this.found;
    if (!terms || status === "cancelled") return { open: false, words: status === "cancelled" ? t("state.cancelled") : "" };
    const [opens, closes] = [Date.parse(terms.check_in_opens), Date.parse(terms.check_in_closes)];
    if (now() < opens) return { open: false, words: [t("roll.opens", { when: this.screen.fmt.moment(terms.check_in_opens) }), " · ", left(this.screen.fmt, terms.check_in_opens)] };
    if (now() >= closes) return { open: false, closed: true, words: t("roll.closed") };
    return { open: true, words: [t("roll.closes"), " ", left(this.screen.fmt, terms.check_in_closes)] };
  }

  view({ tools } = {}) {
    if (this.gone) return empty(t("roll.gone"));
    if (!this.found || !this.entries) return waiting(6);
    const { fmt } = this.screen;
    const { found } = this;
    const at = this.#window();
    const all = [...this.entries.values()];
    const here = (entry) => entry.status === "checked_in";
    const spots = all.filter((entry) => ["booked", "offered", "checked_in", "no_show"].includes(entry.status))
      .sort((a, b) => a.name.localeCompare(b.name, fmt.locale));
    const queue = all.filter((entry) => entry.status === "waitlisted").sort((a, b) => a.position - b.position);
    const came = spots.filter(here).length;
    return h("div.roll", { key: found.id ?? this.id, onelapsed: () => this.screen.update() },
      h("div.roll-head", { key: "head" },
        h("div.grow", null, h("h2", null, found.title),
          h("p.about", null, [`${fmt.time(found.starts_at)}–${fmt.time(found.ends_at)}`, found.room, found.instructor?.name].filter(Boolean).join(" · "))),
        tools?.(found, at)),
      h("div.roll-counts", { key: "counts", role: "group", "aria-label": t("roll.counts") },
        h("p.big", null, h("strong", null, String(came)), " ", t("roll.of_here", { n: spots.length })),
        bar(came, Math.max(spots.length, 1)),
        h("p.marks", null,
          tag(found.free > 0 ? "good" : "plain", t("roll.free", { n: found.free })),
          queue.length > 0 && tag("wait", t("roll.waiting", { n: queue.length })),
          found.needed > 0 && tag("bad", t("state.needed", { n: found.needed })),
          found.minimum > 0 && found.needed === 0 && tag("plain", t("roll.minimum", { n: found.minimum }))),
        h("p.about", { key: "window" }, at.words)),
      spots.length === 0 ? h("div", { key: "none" }, empty(t("roll.empty")))
        : [all.length > AT_A_GLANCE && this.#sift(), h("ul.names", { key: "spots", "aria-label": t("roll.list") }, this.#sought(spots).map((entry) => this.#row(entry, at)))],
      queue.length > 0 && h("section", { key: "queue" }, h("h3", null, t("roll.queue")),
        h("ul.names", { "aria-label": t("roll.queue") }, this.#sought(queue).map((entry) => this.#row(entry, at)))));
  }

  #sift() {
    return h("div.field.sift", { key: "sift" }, h("label", { for: "sift" }, t("roll.sift")),
      h("input", { id: "sift", type: "search", autocomplete: "off", value: this.sought, oninput: (event) => { this.sought = event.target.value; this.screen.update(); } }));
  }

  /** Whose name has a word that begins like that, however it is accented. */
  #sought(entries) {
    const plain = (text) => ` ${text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase()}`;
    const sought = plain(this.sought.trim());
    return sought.length > 1 ? entries.filter((entry) => plain(entry.name).includes(sought)) : entries;
  }

  #row(entry, at) {
    const tap = this.taps.of(entry.id);
    const queued = entry.status === "waitlisted";
    const said = queued ? entry.present : entry.status === "checked_in";
    const here = tap ? TAKEN[tap.action] : said;
    const missed = entry.status === "no_show";
    const action = here ? "undo-check-in" : "check-in";
    const label = here ? t("roll.undo") : queued ? t("roll.standby") : t("roll.check_in");
    return h("li", { key: entry.id, "data-here": String(here), "data-pending": String(!!tap), "data-booking": entry.id },
      queued && h("span.place", null, String(entry.position)),
      h("div.grow", null,
        h("strong", null, entry.name || t("roll.erased")),
        h("div.marks", null,
          entry.first_time && tag("info", icon("star"), t("mark.first")),
          entry.late && tag("wait", t("mark.late")),
          entry.status === "offered" && tag("wait", t("status.offered")),
          missed && tag("bad", t("status.no_show")),
          tap ? tag("wait", icon("clock"), t("roll.unsent")) : here && tag("good", icon("check"), t(queued ? "mark.present" : "roll.here")))),
      this.screen.rowTools?.(entry),
      !missed && h(`button.${here ? "plain" : "primary"}`, {
        type: "button", "aria-label": `${label}: ${entry.name}`, disabled: !at.open, "data-action": action,
        onclick: () => this.taps.add(entry.id, action, entry.name),
      }, here && icon("undo"), h("span", null, label)));
  }
}

/** What the banner says while taps are kept, and once they are sent. */
export function bannerWords(roll, state) {
  if (state === "lost") {
    roll.sent = 0;
    return roll.taps.waiting ? t("banner.kept", { n: roll.taps.waiting }) : t("banner.lost");
  }
  return roll.sent > 0 ? t("banner.sent", { n: roll.sent }) : t("banner.back");
}
