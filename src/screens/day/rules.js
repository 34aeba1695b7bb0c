/** The policy as a form: each rule as a sentence that follows what is typed, beside what a preset says. */

import { h } from "../shared/dom.js";
import { put, read, readAll } from "../shared/api.js";
import { ask, note } from "../shared/dialogs.js";
import { select, tag, waiting } from "../shared/parts.js";
import { t } from "../shared/words.js";
import { RULES, at, differs, sentence, withValue } from "./policy.js";
import { ruleRow } from "./rule_row.js";

export class Rules {
  org = null;
  presets = [];
  draft = null;
  compared = "";

  constructor(screen) {
    this.screen = screen;
  }

  get admin() {
    return this.screen.who.role === "admin";
  }

  get missing() {
    return !this.draft;
  }

  async load() {
    const [org, presets] = await Promise.all([read("/v1/org"), readAll("/v1/presets")]);
    Object.assign(this, { org, presets, draft: structuredClone(org.policy) });
    this.compared ||= presets.find((preset) => preset.id !== org.id)?.id;
    this.screen.update();
  }

  set(path, value) {
    this.draft = withValue(this.draft, path, value);
    this.screen.update();
  }

  view() {
    if (!this.draft) return waiting(6);
    const preset = this.presets.find((one) => one.id === this.compared);
    const changed = RULES.flatMap(([, rules]) => rules).filter((rule) => differs(this.draft, this.org.policy, rule));
    return [
      h("div.bar-top", { key: "top" }, h("p.hint.grow", null, t(this.admin ? "rules.hint" : "rules.read_only")),
        h("label.compare", { key: "compare" }, h("span", null, t("rules.compare")),
          select("preset", this.presets.map((one) => [one.id, one.name]), this.compared, (value) => { this.compared = value; this.screen.update(); }))),
      RULES.map(([group, rules]) => h("section.box.rules", { key: group }, h("h2", null, t(`rules.${group}`)),
        rules.map((rule) => this.#rule(rule, preset)))),
      this.admin && h("div.save-bar", { key: "save", "data-idle": String(!changed.length) },
        h("p.grow", { role: "status" }, changed.length ? t("rules.changed", { n: changed.length }) : t("rules.unchanged")),
        h("button.plain", { type: "button", disabled: !changed.length, onclick: () => { this.draft = structuredClone(this.org.policy); this.screen.update(); } }, t("rules.reset")),
        h("button.primary", { type: "button", disabled: !changed.length, onclick: () => this.#save(changed) }, t("save"))),
    ];
  }

  #rule(rule, preset) {
    const { fmt } = this.screen;
    const [own, other] = [sentence(fmt, this.draft, rule), preset && sentence(fmt, preset.policy, rule)];
    const same = own === other;
    return ruleRow(fmt, rule, {
      draft: this.draft, changed: differs(this.draft, this.org.policy, rule), set: this.admin && ((path, value) => this.set(path, value)),
      beside: other && (same ? h("p.hint", null, t("rules.same", { name: preset.name })) : h("p.other", null, tag("info", preset.name), " ", other)),
      tool: other && !same && h("button.plain.small", { type: "button", onclick: () => this.set(rule.path, structuredClone(at(preset.policy, rule.path))) }, t("rules.take")),
    });
  }

  #save(changed) {
    const { fmt } = this.screen;
    return ask(fmt, {
      title: t("rules.save_title"),
      body: () => [h("p", { key: "text" }, t("rules.save_text")),
        h("ul.changes", { key: "list" }, changed.map((rule) => h("li", { key: rule.path },
          h("strong", null, t(`rule.${rule.path}`)), h("p.was", null, sentence(fmt, this.org.policy, rule)), h("p", null, sentence(fmt, this.draft, rule)))))],
      actions: [{ label: t("rules.save_go"), run: async () => {
        this.org = await put("/v1/org/policy", this.draft, { match: this.org.revision });
        this.draft = structuredClone(this.org.policy);
        this.screen.org = { ...this.screen.org, policy: this.org.policy };
        note(t("rules.saved"), "good");
        this.screen.update();
      } }],
    });
  }
}
