/** Checking in by phone or member number, and what came of it in plain words. A kiosk learns no more than a first name. */

import { h } from "../shared/dom.js";
import { freshKey, part, post, read } from "../shared/api.js";
import { ID_MAX } from "../shared/ids.js";
import { icon } from "../shared/parts.js";
import { t } from "../shared/words.js";

/** A kiosk forgets who was there. */
const FORGET_MS = 9_000;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "+", "0"];
const LEN_MAX = 20;
export class Arrival {
  text = "";
  result = null;
  busy = false;

  constructor(screen) {
    this.screen = screen;
  }

  clear() {
    clearTimeout(this.timer);
    this.text = "";
    this.result = null;
    this.key = undefined;
    this.screen.update();
  }

  /** Digits are a phone's; whatever has letters in it, or too many digits for a phone, is a member's number. */
  #asked() {
    const text = this.text.trim();
    const digits = text.replace(/[\s\p{Cf}\p{Pd}()./]/gu, "");
    return /^\+?\d{5,18}$/.test(digits) ? { phone: text } : { member: text };
  }

  /** As a phone, in whatever form it was typed, and where nobody is known by that, as a member's number. */
  async #checkIn(body) {
    const key = this.key;
    try {
      return await post("/v1/check-ins", body, { key, tries: 2 });
    } catch (problem) {
      if (problem.code !== "invalid" || !/^\d+$/.test(body.phone ?? "")) throw problem;
      return post("/v1/check-ins", { club: body.club, member: body.phone }, { key: `${key}-member`, tries: 2 });
    }
  }

  async send() {
    if (this.busy || !this.text.trim()) return;
    const body = { club: this.screen.clubShown, ...this.#asked() };
    // The same number tapped again because the answer did not come is the same call.
    const call = JSON.stringify(body);
    if (call !== this.call) this.key = freshKey();
    this.call = call;
    this.busy = true;
    this.screen.update();
    try {
      this.result = await this.#said(await this.#checkIn(body));
      this.text = "";
      this.key = this.call = undefined;
      this.screen.changed();
    } catch (problem) {
      if (!problem.code) throw problem;
      this.result = await this.#refused(problem, body);
      if (!problem.mayRepeat) this.key = this.call = undefined;
    }
    this.busy = false;
    clearTimeout(this.timer);
    if (this.screen.kiosk) this.timer = setTimeout(() => this.clear(), FORGET_MS);
    this.screen.update();
  }

  async #said(booking) {
    const { fmt, kiosk } = this.screen;
    const [found, member] = await Promise.all([
      read(`/v1/classes/${part(booking.class)}`).catch(() => null),
      kiosk ? null : read(`/v1/members/${part(booking.member)}`).catch(() => null),
    ]);
    const name = kiosk ? booking.first_name : member?.name;
    const at = { title: found?.title ?? "", time: found ? fmt.time(found.starts_at) : "", n: booking.position ?? "–" };
    const standby = booking.status === "waitlisted";
    const late = booking.late && (booking.fee && !kiosk ? t("desk.late_fee", { fee: fmt.money(booking.fee) }) : t("desk.late"));
    return {
      tone: standby || late ? "wait" : "good", icon: standby ? "clock" : "check",
      head: name ? t("desk.welcome", { name }) : t("desk.welcome_nameless"),
      lines: [t(standby ? "desk.standby" : "desk.checked_in", at), late].filter(Boolean),
    };
  }

  async #refused(problem, body) {
    const { kiosk } = this.screen;
    const unknown = ["invalid", "not_found"].includes(problem.code);
    const lines = [unknown ? t("desk.unknown") : this.screen.refusal(problem.code, problem.until)];
    if (kiosk && (!problem.mayRepeat || problem.code === "rate_limited")) lines.push(t("desk.ask"));
    else if (problem.code === "check_in_not_open") lines.push(...(await this.#next(body)));
    return { tone: "bad", icon: "warn", head: t("desk.sorry"), lines };
  }

  /** Why there is nothing to check in to: what the member has ahead. */
  async #next({ member, phone }) {
    try {
      const id = member ?? (await read("/v1/members", { query: phone, limit: 1 })).items[0]?.id;
      const [booking] = (await read("/v1/bookings", { member: id, when: "upcoming", limit: 1 })).items;
      if (!booking) return [t("desk.no_next")];
      const found = await read(`/v1/classes/${part(booking.class)}`);
      return [t("desk.next", { title: found.title, when: this.screen.fmt.moment(found.starts_at), club: this.screen.club(found.club) })];
    } catch {
      return [];
    }
  }

  #result() {
    return h("div.result", { key: "result", role: "status", "aria-live": "assertive", "data-tone": this.result?.tone ?? "" },
      this.result && [icon(this.result.icon), h("div", null, h("strong", null, this.result.head), this.result.lines.map((line, key) => h("p", { key }, line)))]);
  }

  #form(children, label, hint) {
    return h("form.arrive", { key: "form", onsubmit: (event) => { event.preventDefault(); this.send(); } },
      h("div.field", { key: "who" }, h("label", { for: "who" }, label),
        h("input", { id: "who", name: "who", value: this.text, maxlength: ID_MAX, autocomplete: "off", inputmode: hint ? "text" : "tel", spellcheck: "false",
          oninput: (event) => { this.text = event.target.value; if (this.result) { this.result = null; } this.screen.update(); } }),
        hint && h("p.hint", null, hint)),
      children);
  }

  desk() {
    return h("section.box", { key: "arrival", "aria-label": t("desk.go") },
      this.#form(h("button.primary", { key: "go", type: "submit", "aria-busy": String(this.busy) }, t("desk.go")), t("desk.who"), t("desk.hint")),
      this.#result());
  }

  kiosk() {
    const type = (digit) => { this.text = (this.result ? "" : this.text).concat(digit).slice(0, LEN_MAX); this.result = null; this.screen.update(); };
    return [
      h("div.place-name", { key: "title" }, h("h1", null, t("desk.kiosk")), h("p.about", null, this.screen.club(this.screen.clubShown))),
      this.#form([
        h("div.keypad", { key: "pad", role: "group", "aria-label": t("desk.keypad") },
          KEYS.map((digit) => h("button.key", { key: digit, type: "button", onclick: () => type(digit) }, digit)),
          h("button.key", { key: "back", type: "button", "aria-label": t("desk.delete"), onclick: () => { this.text = this.text.slice(0, -1); this.screen.update(); } }, icon("back"))),
        h("button.primary.huge", { key: "go", type: "submit", "aria-busy": String(this.busy) }, t("desk.go")),
      ], t("desk.who_kiosk")),
      this.#result(),
    ];
  }
}
