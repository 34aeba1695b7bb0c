/** Small components that more than one screen shows. */

import { h } from "./dom.js";
import { now } from "./clock.js";
import { t } from "./words.js";

/** `<rc-left until>`: what is left until an instant, counted down by itself; fires `elapsed` once. */
class Left extends HTMLElement {
  static observedAttributes = ["until"];

  connectedCallback() {
    this.#tick();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  attributeChangedCallback() {
    this.done = false;
    if (this.isConnected) this.#tick();
  }

  /** How to say it: the formats of the reader's language. */
  set fmt(fmt) {
    this.format = fmt.left;
    if (this.isConnected) this.#tick();
  }

  #tick() {
    clearTimeout(this.timer);
    const left = Date.parse(this.getAttribute("until")) - now();
    const text = this.format ? this.format(left) : "";
    if (this.textContent !== text) this.textContent = text;
    if (left <= 0) {
      if (!this.done) this.dispatchEvent(new CustomEvent("elapsed", { bubbles: true }));
      this.done = true;
      return;
    }
    // Seconds are counted only while they are shown.
    this.timer = setTimeout(() => this.#tick(), left < 3_700_000 ? (left % 1000) + 5 : 30_000);
  }
}
customElements.define("rc-left", Left);

/** What is left until `until`, in the reader's words. */
export function left(fmt, until) {
  return h("rc-left", { fmt, until, role: "timer", "aria-live": "off" });
}

const PATHS = {
  back: "M15 5l-7 7 7 7",
  check: "M5 12.5l4.5 4.5L19 7.5",
  clock: "M12 7v5l3.5 2M12 3a9 9 0 100 18 9 9 0 000-18z",
  close: "M6 6l12 12M18 6L6 18",
  people: "M9 11a3.5 3.5 0 100-7 3.5 3.5 0 000 7zM2.5 20c.5-3.5 3-5.5 6.500-5.500s6 2 6.500 5.500M16 4.500a3.200 3.200 0 010 6.200M18 14.800c2 .8 3.200 2.600 3.500 5.200",
  calendar: "M4 6h16v14H4zM4 10h16M8 3v5M16 3v5",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  person: "M12 12a4 4 0 100-8 4 4 0 000 8zM4.500 20.500c.7-4 3.500-6 7.500-6s6.800 2 7.500 6",
  warn: "M12 4L2.500 20h19zM12 10v4.500M12 17.300v.2",
  wifi: "M3 9.500c5-4.500 13-4.500 18 0M6.500 13.200c3-2.700 8-2.700 11 0M12 18h.01",
  undo: "M8 5L4 9l4 4M4 9h10a5.500 5.500 0 010 11h-3",
  plus: "M12 5v14M5 12h14",
  star: "M12 4l2.400 5.200 5.600.6-4.200 3.800 1.200 5.600L12 16.300l-5 2.900 1.200-5.600L4 9.800l5.600-.6z",
};

/** A drawing beside words; never alone, so it says nothing to a screen reader. */
export function icon(name) {
  return h("svg.icon", { viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: PATHS[name] }));
}

/** Text on a coloured ground: `good`, `wait`, `bad`, `info` or plain. */
export const tag = (tone, ...children) => h(`span.tag.${tone}`, null, ...children);

/** More than so many are looked up, not looked over. */
const CHIPS_MAX = 8;

/** Chips of which one is chosen, or a list where they are many: `[[value, words], …]`. */
export function choice(name, options, chosen, onchoose) {
  if (options.length > CHIPS_MAX) return h("label.chosen", null, h("span.sr", null, name), select("choice", options, chosen, onchoose));
  return h("div.chips", { role: "radiogroup", "aria-label": name, onkeydown: arrows },
    options.map(([value, label]) =>
      h("button.chip", {
        key: String(value), type: "button", role: "radio", "aria-checked": String(value === chosen),
        tabindex: value === chosen ? "0" : "-1", onclick: () => onchoose(value),
      }, label)));
}

/** Arrow keys walk through a group of which only the chosen one is in the tab order. */
export function arrows(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const all = [...event.currentTarget.querySelectorAll("[role=radio],[role=tab]")];
  const here = all.indexOf(document.activeElement);
  if (!step || here < 0) return;
  event.preventDefault();
  const next = all[(here + step + all.length) % all.length];
  next.focus();
  next.click();
}

/** Tabs over panels: `[[value, words], …]`. */
export function tabs(name, options, chosen, onchoose) {
  return h("div.tabs", { role: "tablist", "aria-label": name, onkeydown: arrows },
    options.map(([value, ...label]) =>
      h("button.tab", {
        key: value, type: "button", role: "tab", id: `tab-${value}`, "aria-selected": String(value === chosen),
        "aria-controls": "panel", tabindex: value === chosen ? "0" : "-1", onclick: () => onchoose(value),
      }, ...label)));
}

/** A label over a field, with what is wrong with it under it. */
export function field(label, input, { hint, error } = {}) {
  const id = input.props.id ?? `f-${input.props.name}`;
  input.props.id = id;
  const told = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  if (told) input.props["aria-describedby"] = told;
  if (error) input.props["aria-invalid"] = "true";
  return h("div.field", { key: id },
    h("label", { for: id }, label), input,
    hint && h("p.hint", { id: `${id}-hint` }, hint),
    error && h("p.error", { id: `${id}-error` }, error));
}

export function select(name, options, chosen, onchange) {
  return h("select", { name, value: chosen ?? "", onchange: (event) => onchange?.(event.target.value) },
    options.map(([value, label]) => h("option", { key: value, value }, label)));
}

/** How full something is, as a bar; the numbers stand beside it in words. */
export function bar(taken, whole, tone = "") {
  const share = whole > 0 ? Math.min(1, taken / whole) : 0;
  return h(`div.bar${tone ? `.${tone}` : ""}`, { "aria-hidden": "true" },
    h("div", { style: { width: `${Math.round(share * 100)}%` } }));
}

/** What stands where there is nothing. */
export const empty = (...words) => h("p.empty", null, ...words);

/** Placeholders of the size of what is coming, so that nothing jumps. */
export const waiting = (n = 4) =>
  h("div.waiting", { role: "status", "aria-label": t("loading") }, Array.from({ length: n }, (_, key) => h("div.bone", { key })));
