/** The year of a club: the days on which it is closed. */

import { h } from "../shared/dom.js";
import { part, post, readAll, remove } from "../shared/api.js";
import { ask, note } from "../shared/dialogs.js";
import { addDays, zoned } from "../shared/format.js";
import { Newest } from "../shared/newest.js";
import { choice, empty, field, icon, waiting } from "../shared/parts.js";
import { t } from "../shared/words.js";

const MONTHS = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"];

export class Closures {
  list = null;
  #newest = new Newest();

  constructor(screen) {
    this.screen = screen;
    this.year = Number(screen.fmt.date().slice(0, 4));
    this.clubShown = screen.clubs[0]?.id;
  }

  get missing() {
    return !this.list;
  }

  async load() {
    const take = this.#newest.asks();
    const list = this.clubShown ? await readAll(`/v1/clubs/${part(this.clubShown)}/closures`) : [];
    if (!take()) return;
    this.list = list;
    this.screen.update();
  }

  refresh() {
    return this.load();
  }

  #show(change) {
    Object.assign(this, change);
    if (change.clubShown) this.list = null;
    this.screen.update();
    if (change.clubShown) this.screen.attempt(() => this.load());
  }

  view() {
    const { clubs } = this.screen;
    const ofYear = this.list?.filter(({ from, to }) => from <= `${this.year}-12-31` && to >= `${this.year}-01-01`);
    return [
      h("div.bar-top", { key: "top" },
        h("div.row", { key: "year", role: "group", "aria-label": t("closures.year") },
          h("button.plain.round", { type: "button", "aria-label": t("closures.year_before"), onclick: () => this.#show({ year: this.year - 1 }) }, "‹"),
          h("strong", { "aria-live": "polite" }, String(this.year)),
          h("button.plain.round", { type: "button", "aria-label": t("closures.year_after"), onclick: () => this.#show({ year: this.year + 1 }) }, "›")),
        h("div", { key: "clubs" }, clubs.length > 1 && choice(t("staff.club"), clubs.map((club) => [club.id, club.name]), this.clubShown, (clubShown) => this.#show({ clubShown }))),
        h("button.primary", { key: "new", type: "button", disabled: !this.clubShown, onclick: () => this.#add() }, icon("plus"), t("closures.new"))),
      h("p.hint", { key: "hint" }, t("closures.hint")),
      !ofYear ? h("div", { key: "wait" }, waiting(3))
        : ofYear.length === 0 ? h("div", { key: "none" }, empty(t("closures.none", { year: this.year })))
        : h("ul.sessions", { key: "list" }, ofYear.map((closure) => this.#row(closure))),
      ofYear && h("div.months", { key: "months", "aria-hidden": "true" }, MONTHS.map((month) => this.#month(month, ofYear))),
    ];
  }

  #span({ from, to }) {
    const { fmt } = this.screen;
    return from === to ? fmt.dayShort(from) : `${fmt.dayShort(from)} – ${fmt.dayShort(to)}`;
  }

  #row(closure) {
    return h("li.session.still", { key: closure.id, "data-closure": closure.id },
      h("span.what", null, h("strong", null, this.#span(closure)), h("span.about", null, closure.reason)),
      h("button.plain.small", { type: "button", "aria-label": `${t("closures.remove")}: ${this.#span(closure)}, ${closure.reason}`, onclick: () => this.#remove(closure) }, t("closures.remove")));
  }

  /** A month as a calendar; the list says the same in words. */
  #month(month, closures) {
    const first = `${this.year}-${month}-01`;
    const days = [];
    for (let day = first; day.slice(5, 7) === month; day = addDays(day, 1)) days.push(day);
    const before = (new Date(`${first}T12:00:00Z`).getUTCDay() + 6) % 7;
    const closed = (day) => closures.some(({ from, to }) => from <= day && day <= to);
    return h("section.month", { key: month }, h("h3", null, this.screen.fmt.month(first)),
      h("div.weeks", null, days.map((day, index) => h("span", {
        key: day, "data-closed": String(closed(day)), style: index === 0 && before > 0 ? { "grid-column-start": String(before + 1) } : undefined,
      }, String(index + 1)))));
  }

  #add() {
    const { screen } = this;
    const today = screen.fmt.date();
    const path = `/v1/clubs/${part(this.clubShown)}/closures`;
    return ask(screen.fmt, {
      title: t("closures.new"),
      body: () => [
        h("p", { key: "club" }, screen.club(this.clubShown)),
        h("div.grid", { key: "days" },
          field(t("closures.from"), h("input", { name: "from", type: "date", required: true, value: today })),
          field(t("closures.to"), h("input", { name: "to", type: "date", required: true, value: today }))),
        field(t("closures.reason"), h("input", { name: "reason", required: true, maxlength: 200, autocomplete: "off" }), { hint: t("closures.reason_hint") }),
      ],
      actions: [{
        label: t("closures.close"),
        run: async (form) => {
          const body = { from: form.get("from"), to: form.get("to"), reason: form.get("reason").trim() };
          if (!await this.#sure(body)) return false;
          await post(path, body);
          note(t("closures.done", { when: this.#span(body) }), "good");
          this.year = Number(body.from.slice(0, 4));
          await this.load();
        },
      }],
    });
  }

  /** Whether staff know what is called off. */
  async #sure({ from, to }) {
    const { timezone } = this.screen.org;
    const span = { from: zoned(from, "00:00", timezone), to: zoned(addDays(to, 1), "00:00", timezone) };
    if (to < from) return true;
    const found = await readAll("/v1/classes", { club: this.clubShown, ...span });
    const held = found.filter((one) => !["cancelled", "finished"].includes(one.status));
    if (held.length === 0) return true;
    const booked = held.reduce((sum, one) => sum + one.booked, 0);
    return ask(this.screen.fmt, {
      title: t("closures.sure_title"),
      body: () => [h("p", { key: "classes" }, t("closures.classes", { n: held.length })), h("p", { key: "booked" }, t("panel.cancel_text", { n: booked }))],
      actions: [{ label: t("closures.close"), tone: "danger", run: async () => true }],
    });
  }

  #remove(closure) {
    const path = `/v1/clubs/${part(this.clubShown)}/closures/${part(closure.id)}`;
    return ask(this.screen.fmt, {
      title: t("closures.remove_title", { when: this.#span(closure) }), body: () => h("p", null, t("closures.remove_text")),
      actions: [{ label: t("closures.remove"), run: async () => { await remove(path); await this.load(); } }],
    });
  }
}
