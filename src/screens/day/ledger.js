/** The fee ledger, newest first, and the same as a CSV file for the books. */

import { h } from "../shared/dom.js";
import { readAll } from "../shared/api.js";
import { decimal } from "../shared/money.js";
import { empty, tag, waiting } from "../shared/parts.js";
import { openMember, waiveButton } from "../shared/member.js";
import { t } from "../shared/words.js";
import { Names } from "./names.js";

const LINES_MAX = 20_000;
/** Lines shown at first, and again with each "more". */
const LINES = 100;

export class Ledger {
  lines = null;
  names = new Names();
  shown = LINES;

  constructor(screen) {
    this.screen = screen;
  }

  async load() {
    this.lines = await readAll("/v1/fees", {}, { max: LINES_MAX, by: "after" });
    this.screen.update();
    await this.#name();
  }

  async #name() {
    await this.names.learn(this.lines.slice(-this.shown).map((line) => line.member));
    this.screen.update();
  }

  #more() {
    this.shown += LINES;
    this.screen.update();
    return this.screen.attempt(() => this.#name());
  }

  refresh() {
    return this.load();
  }

  /** RFC 4180. A cell that a spreadsheet would take for a formula is quoted from it by an apostrophe. */
  csv() {
    const cell = (value) => {
      const text = String(value ?? "");
      return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
    };
    const head = ["id", "at", "member", "booking", "kind", "reason", "amount", "currency", "waives"];
    const rows = this.lines.map(({ id, at, member, booking, kind, reason, amount, waives }) =>
      [id, at, member, booking, kind, reason, decimal(amount.amount, amount.currency), amount.currency, waives]);
    return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
  }

  #export() {
    const url = URL.createObjectURL(new Blob(["\ufeff", this.csv()], { type: "text/csv;charset=utf-8" }));
    const link = Object.assign(document.createElement("a"), { href: url, download: `fees-${this.screen.org.id}-${this.screen.fmt.date()}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  view() {
    if (!this.lines) return waiting(4);
    const { fmt } = this.screen;
    const waived = new Set(this.lines.map((line) => line.waives).filter(Boolean));
    const sum = (kind) => this.lines.filter((line) => line.kind === kind).reduce((all, line) => all + line.amount.amount, 0);
    const currency = this.lines.at(-1)?.amount.currency ?? this.screen.org.policy.currency;
    const money = (amount) => fmt.money({ amount, currency });
    return [
      h("div.bar-top", { key: "top" },
        h("div.tiles.grow", null, [["charged", sum("charged")], ["waived", sum("waived")], ["open", sum("charged") - sum("waived")]].map(([name, amount]) =>
          h("div.tile", { key: name }, h("strong", null, money(amount)), h("span", null, t(`ledger.${name}`))))),
        h("button.plain", { type: "button", disabled: this.lines.length === 0, onclick: () => this.#export() }, t("ledger.csv"))),
      this.lines.length === 0 ? h("div", { key: "none" }, empty(t("ledger.none"))) : h("div.box.scroll", { key: "table", tabindex: "0", role: "region", "aria-label": t("staff.fees") },
        h("table", null,
          h("thead", null, h("tr", null, ["at", "member", "reason"].map((name) => h("th", { key: name, scope: "col" }, t(`ledger.${name}`))), h("th.number", { key: "amount", scope: "col" }, t("ledger.amount")), h("th", { key: "do", scope: "col" }, h("span.sr", null, t("member.waive"))))),
          h("tbody", null, this.lines.slice(-this.shown).reverse().map((line) => h("tr", { key: line.id },
            h("td", null, fmt.full(line.at)),
            h("td", null, h("button.link", { type: "button", onclick: () => openMember(this.screen, { id: line.member, name: this.names.get(line.member) ?? line.member }) }, this.names.get(line.member) ?? line.member)),
            h("td", null, t(`fee.${line.reason}`), " ", line.kind === "waived" && tag("good", t("member.waived"))),
            h("td.number", null, (line.kind === "waived" ? "−" : "") + fmt.money(line.amount)),
            h("td.number", null, line.kind === "charged" && (waived.has(line.id) ? tag("good", t("member.waived")) : waiveButton(this.screen, line, async () => { await this.load(); return true; })))))))),
      this.lines.length > this.shown && h("button.plain", { key: "more", type: "button", onclick: () => this.#more() }, t("more")),
    ];
  }
}
