/**
 * What every screen is: an element that knows who is signed in, which organisation this is and in which language to
 * speak, shows the frame around its own view, and draws itself again whenever something it knows has changed.
 */

import { h, render } from "./dom.js";
import { Problem, read, readAll } from "./api.js";
import { at } from "./clock.js";
import { Feed } from "./feed.js";
import { addDays, formats, zoned } from "./format.js";
import { blocked, onDevice } from "./keep.js";
import { claims, signIn, signOut } from "./session.js";
import { ask, note } from "./dialogs.js";
import { icon, waiting } from "./parts.js";
import { codeWords, problemWords } from "./problems.js";
import { LANGUAGES, speak, spoken, t } from "./words.js";

const THEME = "rollcall.theme";
const BACK_MS = 4_000;

/** An organisation that its own people do not find was never created. */
function noOrg(problem) {
  throw problem.code === "not_found" ? new Problem({ code: "no_org" }) : problem;
}

export class Screen extends HTMLElement {
  /** Which words this screen needs, beside the common ones. */
  static words = [];
  /** Who may use it. */
  static roles = [];

  org = null;
  clubs = [];
  fmt = null;
  who = null;
  feed = null;
  banner = null;
  #drawing = false;

  /** What is read before the first view. */
  async begin() {}
  /** The screen's own view. */
  view() {}
  /** Its title, in words. */
  title() {}

  async connectedCallback() {
    document.documentElement.dataset.theme = onDevice.get(THEME) ?? "";
    await speak(["common", ...this.constructor.words]);
    if (blocked) return this.#drawBlocked();
    this.who = claims();
    if (!this.who) return this.#drawStranger();
    if (!this.constructor.roles.includes(this.who.role)) return this.#drawStranger("code.forbidden_role");
    await this.#start();
  }

  async #start() {
    this.update();
    try {
      [this.org, this.clubs] = await Promise.all([read("/v1/org"), readAll("/v1/clubs")]).catch(noOrg);
      this.#formats();
      await this.begin();
    } catch (problem) {
      if (problem.code === "unauthenticated") return this.#drawStranger();
      if (!problem.mayRepeat) {
        this.failed = problem;
        this.update();
        if (!problem.code) throw problem;
        return;
      }
      this.banner = "lost";
      this.update();
      setTimeout(() => this.#start(), problem.retryMs * 2);
      return;
    }
    this.banner = this.failed = null;
    this.feed ??= new Feed((state) => this.#connection(state));
    this.connected(this.feed);
    this.ready = true;
    this.#waitForMidnight();
    this.update();
  }

  /** A screen at the desk stays open for days. */
  #waitForMidnight() {
    this.stopWaitingForMidnight?.();
    this.stopWaitingForMidnight = at(zoned(addDays(this.fmt.date(), 1), "00:00", this.org.timezone), () => {
      this.newDay?.();
      this.update();
      this.#waitForMidnight();
    });
  }

  /** The classes of a local day, with the counts that came by themselves since the answer. */
  async classesOf(day, which) {
    const { timezone } = this.org;
    const span = { from: zoned(day, "00:00", timezone), to: zoned(addDays(day, 1), "00:00", timezone) };
    const found = await readAll("/v1/classes", { ...which, ...span });
    return found.map((one) => this.feed?.current(one, day) ?? one);
  }

  /** Called once with the feed: what is to be watched. */
  connected() {}

  #formats() {
    this.fmt = formats(spoken(), this.org.timezone, this.org.policy.currency);
  }

  #connection({ lost }) {
    clearTimeout(this.bannerTimer);
    this.banner = lost ? "lost" : "back";
    if (!lost) this.bannerTimer = setTimeout(() => { this.banner = null; this.update(); }, BACK_MS);
    this.reconnected?.(!lost);
    this.update();
  }

  /** Draws at the next frame, however often it is asked. */
  update() {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      this.#draw();
    });
  }

  club(id) {
    return this.clubs.find((club) => club.id === id)?.name ?? id;
  }

  /** Does something and says what went wrong, if it did. Answers whether it went well. */
  async attempt(call) {
    try {
      await call();
      return true;
    } catch (problem) {
      if (!problem.code) throw problem;
      note(problemWords(this.fmt, problem), "bad");
      return false;
    } finally {
      this.update();
    }
  }

  refusal(code, until) {
    return codeWords(this.fmt, code, until);
  }

  #draw() {
    if (!this.who) return;
    const title = this.title?.() ?? "";
    document.title = this.org ? `${title} · ${this.org.name}` : title;
    const foreign = this.fmt?.foreignZone();
    render(this,
      h("a.skip", { href: "#main" }, t("skip")),
      this.bare ? null : this.#header(title),
      h("div.banner", { key: "banner", role: "status", "data-state": this.banner ?? "" },
        this.banner && [icon(this.banner === "lost" ? "wifi" : "check"), h("span", null, this.bannerWords?.() ?? t(`banner.${this.banner}`))]),
      h("main", { key: "main", id: "main", tabindex: "-1" },
        foreign && !this.bare && h("p.zone", { key: "zone" }, icon("clock"), t("zone", { zone: foreign })),
        this.ready ? this.view() : this.failed ? this.#failure() : waiting(5)),
      h("div.notes", { key: "notes", id: "notes", role: "status", "aria-live": "polite" }));
  }

  #header(title) {
    return h("header.top", { key: "top" },
      h("div.brand", null, h("span.mark", { "aria-hidden": "true" }, icon("check")),
        h("div", null, h("h1", null, title), h("p", null, this.org?.name ?? " "))),
      h("div.tools", null, this.tools?.(), this.#settingsButton()));
  }

  #failure() {
    return h("div.box.failure", { key: "failure", role: "alert" }, icon("warn"), h("p", null, problemWords(this.fmt, this.failed)),
      h("button.primary", { type: "button", onclick: () => { this.failed = null; this.#start(); } }, t("again")));
  }

  #settingsButton() {
    return h("button.plain.round", { type: "button", "aria-label": t("settings"), onclick: () => this.#settings() },
      h("span", { "aria-hidden": "true" }, spoken().toUpperCase()));
  }

  #settings() {
    const theme = () => document.documentElement.dataset.theme || "system";
    const option = (name, value, label, chosen, pick) =>
      h("label.option", { key: value }, h("input", { type: "radio", name, value, checked: chosen, onchange: pick }), label);
    ask(this.fmt, {
      title: t("settings"),
      body: (redraw) => [
        h("fieldset", { key: "language" }, h("legend", null, t("language")),
          Object.entries(LANGUAGES).map(([code, name]) =>
            option("language", code, name, code === spoken(), async () => {
              await speak(["common", ...this.constructor.words], code);
              if (this.org) this.#formats();
              this.update();
              redraw();
            }))),
        h("fieldset", { key: "theme" }, h("legend", null, t("theme")),
          ["system", "light", "dark"].map((value) =>
            option("theme", value, t(`theme.${value}`), value === theme(), () => {
              onDevice.set(THEME, value === "system" ? "" : value);
              document.documentElement.dataset.theme = value === "system" ? "" : value;
            }))),
        h("p.hint", { key: "who" }, t("signed_in", { sub: this.who.sub })),
      ],
      actions: [{ label: t("sign_out"), tone: "plain", run: () => { signOut(); location.reload(); } }],
    });
  }

  /** Nothing could be kept: neither who is signed in nor a tap that is yet to be sent. */
  #drawBlocked() {
    document.title = t("blocked.title");
    render(this, h("main.stranger", { id: "main" },
      h("span.mark", { "aria-hidden": "true" }, icon("warn")),
      h("h1", null, t("blocked.title")),
      h("p", { role: "alert" }, t("blocked.text")),
      h("button.primary", { type: "button", onclick: () => location.reload() }, t("again"))));
  }

  #drawStranger(why = "sign_in.text") {
    document.title = t("sign_in.title");
    render(this, h("main.stranger", { id: "main" },
      h("span.mark", { "aria-hidden": "true" }, icon("check")),
      h("h1", null, t("sign_in.title")),
      h("p", null, t(why)),
      h("form", { onsubmit: (event) => {
        event.preventDefault();
        if (signIn(new FormData(event.target).get("token"))) location.reload();
        else note(t("code.unauthenticated"), "bad");
      } },
        h("div.field", null, h("label", { for: "token" }, t("sign_in.label")),
          h("input", { id: "token", name: "token", required: true, autocomplete: "off", spellcheck: "false" })),
        h("button.primary", { type: "submit" }, t("sign_in.go"))),
      h("div.notes", { id: "notes", role: "status", "aria-live": "polite" })));
  }
}
