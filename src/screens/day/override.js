/** The rules of one class or series: a merge patch over the organisation's, made with the same sentences and fields. */

import { h } from "../shared/dom.js";
import { merge } from "../rollcall.js";
import { t } from "../shared/words.js";
import { RULES, at, differs, withValue } from "./policy.js";
import { ruleRow } from "./rule_row.js";

/** What is the chain's alone: how long things are kept. */
const RULES_OF_A_CLASS = RULES.flatMap(([group, rules]) => {
  const own = rules.filter((rule) => !rule.path.startsWith("retention."));
  return own.length ? [[group, own]] : [];
});

export class Override {
  open = false;

  constructor(screen, patch) {
    this.screen = screen;
    this.house = screen.org.policy;
    this.draft = merge(this.house, patch ?? {});
    this.given = patch;
  }

  #changed() {
    return RULES_OF_A_CLASS.flatMap(([, rules]) => rules).filter((rule) => differs(this.draft, this.house, rule));
  }

  /** What to send as `policy`: nothing where nothing was and is, null where all is taken back. */
  body() {
    const changed = this.#changed();
    if (changed.length === 0) return this.given ? null : undefined;
    return changed.reduce((patch, { path }) => withValue(patch, path, patched(at(this.house, path), at(this.draft, path))), {});
  }

  view(redraw) {
    const { fmt } = this.screen;
    const n = this.#changed().length;
    return h("details.own-rules", { key: "rules", open: this.open, ontoggle: (event) => {
      if (event.target.open === this.open) return;
      this.open = event.target.open;
      redraw();
    } },
    h("summary", null, t("form.rules"), " ", h("span.about", null, n ? t("form.rules_own", { n }) : t("form.rules_none"))),
    this.open && RULES_OF_A_CLASS.map(([group, rules]) => h("section.rules", { key: group }, h("h3", null, t(`rules.${group}`)),
      rules.map((rule) => this.#rule(fmt, rule, redraw)))));
  }

  #rule(fmt, rule, redraw) {
    const set = (path, value) => {
      this.draft = withValue(this.draft, path, value);
      redraw();
    };
    const changed = differs(this.draft, this.house, rule);
    return ruleRow(fmt, rule, {
      draft: this.draft, changed, set, within: "own",
      tool: changed && h("button.plain.small", { type: "button", onclick: () => set(rule.path, structuredClone(at(this.house, rule.path))) }, t("form.rules_back")),
    });
  }
}

/** A value as part of a merge patch: of an object, what the other form had is taken out. */
function patched(before, after) {
  if (typeof before !== "object" || before === null || typeof after !== "object" || after === null) return after;
  const gone = Object.keys(before).filter((name) => !(name in after)).map((name) => [name, null]);
  return { ...Object.fromEntries(gone), ...after };
}
