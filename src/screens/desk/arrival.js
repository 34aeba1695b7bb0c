/** Checking in by phone or member number, and what came of it in plain words. A kiosk learns no more than a first name. */

import { h } from "../shared/dom.js";
import { freshKey, part, post, read } from "../shared/api.js";
import { ID_MAX } from "../shared/ids.js";
import { icon } from "../shared/parts.js";
import { t } from "../shared/words.js";
import { Keys } from "./keys.js";

/** A kiosk forgets who was there. */
const FORGET_MS = 9_000;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "+", "0"];
/** Half an entry that somebody left is not the beginning of the next one's. */
const LEFT_MS = 30_000;
/** Of so many in a row it is seen what came of each. */
const RESULTS_MAX = 3;
/** A tapped key does not take the focus: a scanner's Enter would press it again. */
const stay = (event) => event.preventDefault();

export class Arrival {
  text = "";
  /** What came of the last entry, and of those that were made while it was under way. */
  results = [];
  /** Entries on their way, in order: who is next need not wait for an answer. */
  #waiting = [];
  busy = false;
  /** What stands in the field was answered already: the next entry takes its place. */
  #answered = false;

  constructor(screen) {
    this.screen = screen;
    this.keys = new Keys(this);
  }

  clear() {
    clearTimeout(this.timer);
    this.text = "";
    this.results = [];
    this.#answered = false;
    this.key = this.call = undefined;
    this.screen.update();
  }

  /** One more letter or digit, wherever it was typed. */
  type(letter) {
    this.begin();
    this.text = `${this.text}${letter}`.slice(0, ID_MAX);
    this.screen.update();
  }

  /** What is typed after an answer is a new entry. */
  begin() {
    if (this.#answered) this.text = "";
    this.#answered = false;
    if (!this.busy) this.results = [];
    this.#forgetIn(LEFT_MS);
  }

  /** Whether what stands in the field was refused, so that sending it again is of no use. */
  get spent() {
    return this.#answered && this.call === undefined;
  }

  #forgetIn(ms) {
    clearTimeout(this.timer);
    if (this.screen.kiosk) this.timer = setTimeout(() => this.clear(), ms);
  }

  /** Takes the last letter away; of what was refused, too, which may be one letter wrong. */
  rub() {
    this.#answered = false;
    this.results = [];
    this.text = this.text.slice(0, -1);
    this.screen.update();
  }

  /** Digits are a phone's; whatever has letters in it, or too many digits for a phone, is a member's number. */
  #asked(text) {
    const digits = text.replace(/[\s\p{Cf}\p{Pd}()./]/gu, "");
    return /^\+?\d{5,18}$/.test(digits) ? { phone: text, choose: true } : { member: text };
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

  /** Sends what stands in the field. The field is free at once. */
  async send() {
    const text = this.text.trim();
    this.text = "";
    this.#answered = false;
    this.keys.over();
    if (text) return this.#take({ text, body: this.#asked(text) });
    return this.screen.update();
  }

  /** Of those who share a phone, this one. */
  #choose({ member }) {
    return this.#take({ text: "", body: { member } });
  }

  async #take(entry) {
    this.#waiting.push(entry);
    if (this.busy) return this.screen.update();
    this.busy = true;
    this.results = [];
    clearTimeout(this.timer);
    this.screen.update();
    try {
      while (this.#waiting.length) await this.#one(this.#waiting.shift());
    } finally {
      this.busy = false;
      const begun = this.text && !this.#answered || this.results.some((result) => result.choices);
      this.#forgetIn(begun ? LEFT_MS : FORGET_MS);
      this.screen.update();
    }
  }

  async #one({ text, body: asked }) {
    const body = { club: this.screen.clubShown, ...asked };
    // The same number tapped again because the answer did not come is the same call.
    const call = JSON.stringify(body);
    if (call !== this.call) this.key = freshKey();
    this.call = call;
    let result;
    try {
      const done = await this.#checkIn(body);
      result = done.choices ? this.#whoIsIt(done.choices) : await this.#said(done);
      this.key = this.call = undefined;
      if (!done.choices) this.screen.changed();
    } catch (problem) {
      if (!problem.code) throw problem;
      result = await this.#refused(problem, body);
      if (!problem.mayRepeat) this.key = this.call = undefined;
      this.#keep(text);
    }
    this.results = [result, ...this.results].slice(0, RESULTS_MAX);
    this.screen.update();
  }

  /** A refused entry stays to be looked at, mended or sent again, unless somebody has begun the next. */
  #keep(text) {
    if (this.text || this.#waiting.length) return;
    this.text = text;
    this.#answered = true;
  }

  /** Several share the phone and may come in now: nobody has been checked in. */
  #whoIsIt(choices) {
    return { tone: "wait", icon: "people", head: t("desk.who_is_it"), lines: [], choices };
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

  #names(choices) {
    return h("div.row", { key: "choices", role: "group", "aria-label": t("desk.who_is_it") }, choices.map((choice) =>
      h("button.primary", { key: choice.member, type: "button", onclick: () => this.#choose(choice) }, choice.first_name ?? choice.member)));
  }

  /** The newest first. */
  #result() {
    const one = (result) => result && [icon(result.icon), h("div", null, h("strong", null, result.head), result.lines.map((line, key) => h("p", { key }, line)), result.choices && this.#names(result.choices))];
    const [last, ...before] = this.results;
    return h("div.stack", { key: "results" },
      h("div.result", { key: "result", role: "status", "aria-live": "assertive", "data-tone": last?.tone ?? "" }, one(last)),
      before.map((result, key) => h("div.result.before", { key, "data-tone": result.tone }, one(result))));
  }

  #form(children, label, hint) {
    return h("form.arrive", { key: "form", onsubmit: (event) => { event.preventDefault(); this.send(); } },
      h("div.field", { key: "who" }, h("label", { for: "who" }, label),
        h("input", { id: "who", name: "who", value: this.text, maxlength: ID_MAX, autocomplete: "off", inputmode: hint ? "text" : "tel", spellcheck: "false",
          onbeforeinput: (event) => {
            if (event.inputType.startsWith("delete")) this.#answered = false;
            else if (this.#answered) event.target.value = "";
          },
          oninput: (event) => { this.#answered = false; this.begin(); this.text = event.target.value; this.screen.update(); } }),
        hint && h("p.hint", null, hint)),
      children);
  }

  desk() {
    return h("section.box", { key: "arrival", "aria-label": t("desk.go") },
      this.#form(h("button.primary", { key: "go", type: "submit", "aria-busy": String(this.busy) }, t("desk.go")), t("desk.who"), t("desk.hint")),
      this.#result());
  }

  kiosk() {
    return [
      h("div.place-name", { key: "title" }, h("h1", null, t("desk.kiosk")), h("p.about", null, this.screen.club(this.screen.clubShown))),
      this.#form([
        h("div.keypad", { key: "pad", role: "group", "aria-label": t("desk.keypad") },
          KEYS.map((digit) => h("button.key", { key: digit, type: "button", onpointerdown: stay, onclick: () => this.type(digit) }, digit)),
          h("button.key", { key: "back", type: "button", "aria-label": t("desk.delete"), onpointerdown: stay, onclick: () => this.rub() }, icon("back"))),
        h("button.primary.huge", { key: "go", type: "submit", "aria-busy": String(this.busy) }, t("desk.go")),
      ], t("desk.who_kiosk")),
      this.#result(),
    ];
  }
}
