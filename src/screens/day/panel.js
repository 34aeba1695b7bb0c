/** One class: how it stands, what staff may do about it, and its history in words. */

import { h } from "../shared/dom.js";
import { part, patch, post, read, readAll } from "../shared/api.js";
import { now } from "../shared/clock.js";
import { ask, askReason, note } from "../shared/dialogs.js";
import { ID, ID_MAX } from "../shared/ids.js";
import { bar, empty, field, tag, waiting } from "../shared/parts.js";
import { t } from "../shared/words.js";
import { change } from "./form.js";
import { lineWords, shownLines } from "./history.js";
import { Names } from "./names.js";
import { seriesOf, whichDays } from "./reach.js";
import { editSeries } from "./series.js";

const HISTORY_MAX = 5000;
/** Lines shown at first, and again with each "more". */
const LINES = 60;
const TONES = { promotion_passed_over: "wait", booking_promoted: "good", no_show_recorded: "bad", class_cancelled: "bad", fee_charged: "bad", roster_untouched: "wait" };

/** Opens the class in a dialog. */
export async function openClass(screen, { id, title }) {
  const panel = new Panel(screen, id);
  const closed = ask(screen.fmt, { title, wide: true, body: (redraw) => panel.view(redraw) });
  const stop = screen.feed.watch(`class:${id}`, () => panel.load().catch(() => {}));
  await screen.attempt(() => panel.load());
  await closed;
  stop();
}

class Panel {
  found = null;
  lines = null;
  names = new Names();
  shown = LINES;

  constructor(screen, id) {
    Object.assign(this, { screen, id });
  }

  async load() {
    const base = `/v1/classes/${part(this.id)}`;
    const [found, lines] = await Promise.all([read(base), readAll(`${base}/history`, {}, { max: HISTORY_MAX })]);
    Object.assign(this, { found, lines: shownLines(lines).reverse() });
    this.redraw?.();
    await this.#name();
  }

  /** Who is on the roster is told in one answer; the rest of those in sight one by one. */
  async #name() {
    const shown = this.lines.slice(0, this.shown).map((line) => line.member);
    if (shown.some((id) => id && !this.names.get(id))) {
      const roster = await read(`/v1/classes/${part(this.id)}/roster`).catch(() => ({ bookings: [], waitlist: [] }));
      for (const { member, name } of [...roster.bookings, ...roster.waitlist]) this.names.set(member, name);
      await this.names.learn(shown);
    }
    this.redraw?.();
  }

  #more() {
    this.shown += LINES;
    this.redraw?.();
    return this.screen.attempt(() => this.#name());
  }

  async #did(words) {
    note(words, "good");
    await this.load();
    return true;
  }

  view(redraw) {
    this.redraw = redraw;
    const { found, screen: { fmt } } = this;
    if (!found) return waiting(3);
    const over = ["cancelled", "finished"].includes(found.status);
    const action = (name, run, tone = "plain") => h(`button.${tone}.small`, { key: name, type: "button", "data-action": name, onclick: run }, t(`panel.${name}`));
    return [
      h("div", { key: "head" }, h("p.about", null, [fmt.dayLong(fmt.date(found.starts_at)), `${fmt.time(found.starts_at)}–${fmt.time(found.ends_at)}`, this.screen.club(found.club), found.room, found.instructor?.name].filter(Boolean).join(" · "))),
      h("div.stack", { key: "counts" },
        h("p.row", null, h("strong", null, t("panel.booked", { n: found.booked, of: found.capacity })),
          tag(found.status === "cancelled" ? "bad" : "plain", t(`status.${found.status}`)),
          found.waiting > 0 && tag("wait", t("roll.waiting", { n: found.waiting })),
          found.needed > 0 && tag("bad", t("state.needed", { n: found.needed }))),
        bar(found.booked, found.capacity, found.free === 0 ? "full" : "")),
      h("dl.terms", { key: "terms" }, ["opens_at", "cancel_by", "promote_until", "check_in_opens", "check_in_closes"].map((name) =>
        h("div", { key: name, "data-past": String(Date.parse(found.terms[name]) <= now()) }, h("dt", null, t(`terms.${name}`)), h("dd", null, fmt.moment(found.terms[name]))))),
      h("div.row", { key: "actions" }, !over && [
        action("change", () => this.#change().then((done) => done && this.#did(t("panel.changed")))),
        action("substitute", () => this.#substitute()), action("capacity", () => this.#capacity()),
        action("cancel", () => this.#cancel(), "danger")],
      this.lines.some((line) => line.event === "roster_untouched") && !this.lines.some((line) => line.data.changed?.includes?.("closed")) && action("close", () => this.#close())),
      h("section.stack", { key: "history" }, h("h3", null, t("panel.history")), this.#history()),
    ];
  }

  /** A class of a series is changed alone or with all of them. */
  async #change() {
    const { found, screen } = this;
    const of = seriesOf(found)?.series;
    const series = of && await read(`/v1/series/${part(of)}`).catch(() => null);
    const which = series?.status === "active" ? await whichDays(screen, found.title) : "day";
    return which === "day" ? change(screen, found) : which && editSeries(screen, series);
  }

  #substitute() {
    const { found } = this;
    return ask(this.screen.fmt, {
      title: t("panel.substitute_title", { title: found.title }),
      body: () => [h("p", { key: "now" }, t("panel.now_teaches", { name: found.instructor?.name ?? "–" })),
        field(t("form.instructor_id"), h("input", { name: "id", required: true, maxlength: ID_MAX, pattern: ID, autocomplete: "off" }), { hint: t("form.instructor_hint") }),
        field(t("form.instructor"), h("input", { name: "name", required: true, maxlength: 100, autocomplete: "off" }))],
      actions: [{ label: t("panel.substitute"), run: async (form) => {
        await patch(`/v1/classes/${part(found.id)}`, { instructor: { id: form.get("id").trim(), name: form.get("name").trim() } }, { match: found.revision });
        return this.#did(t("panel.changed"));
      } }],
    });
  }

  #capacity() {
    const { found } = this;
    return ask(this.screen.fmt, {
      title: t("panel.capacity_title", { title: found.title }),
      body: () => field(t("form.capacity"), h("input", { name: "capacity", type: "number", min: 1, max: 5000, required: true, value: found.capacity }), { hint: t("panel.capacity_hint", { n: found.booked }) }),
      actions: [{ label: t("save"), run: async (form) => {
        await patch(`/v1/classes/${part(found.id)}`, { capacity: Number(form.get("capacity")) }, { match: found.revision });
        return this.#did(t("panel.changed"));
      } }],
    });
  }

  #cancel() {
    const { found } = this;
    return askReason(this.screen.fmt, {
      title: t("panel.cancel_title", { title: found.title }), text: t("panel.cancel_text", { n: found.booked }), label: t("panel.cancel"),
      run: async (reason) => { await post(`/v1/classes/${part(found.id)}/cancel`, { reason }); return this.#did(t("panel.cancelled")); },
    });
  }

  #close() {
    return askReason(this.screen.fmt, {
      title: t("panel.close_title"), text: t("panel.close_text"), label: t("panel.close"),
      extra: h("label.option", { key: "penalties" }, h("input", { type: "checkbox", name: "penalties" }), h("span", null, t("panel.penalties"))),
      run: async (reason, form) => { await post(`/v1/classes/${part(this.id)}/close`, { penalties: form.get("penalties") === "on", reason }); return this.#did(t("panel.closed")); },
    });
  }

  #history() {
    if (this.lines.length === 0) return empty(t("member.none"));
    return [h("ol.history", { key: "lines" }, this.lines.slice(0, this.shown).map((line) => {
      const { words, why, by } = lineWords(this.screen, line, this.names);
      return h("li", { key: line.cursor, "data-tone": TONES[line.event] ?? "plain" },
        h("time", { datetime: line.at }, this.screen.fmt.full(line.at)),
        h("div", null, h("p", null, words), why && h("p.why", null, why), by && h("p.about", null, by)));
    })), this.lines.length > this.shown && h("button.plain", { key: "more", type: "button", onclick: () => this.#more() }, t("more"))];
  }
}
