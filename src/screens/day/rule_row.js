/** One rule as it reads and as it is changed: the sentence follows what is typed. */

import { h } from "../shared/dom.js";
import { t } from "../shared/words.js";
import { control } from "./control.js";
import { at, sentence } from "./policy.js";

/**
 * `draft` is the policy as it stands in the form, `changed` whether the rule differs from what it was; `beside` is what
 * stands under the sentence, `tool` beside the field. Without `set` it is only read.
 */
export function ruleRow(fmt, rule, { draft, changed, beside, tool, set, within = "rule" }) {
  const id = `${within}-${rule.path.replaceAll(".", "-")}`;
  return h("div.rule", { key: rule.path, "data-rule": rule.path, "data-changed": String(changed) },
    h("div.says", null, h("h3", { id }, t(`rule.${rule.path}`)), h("p", null, sentence(fmt, draft, rule)), beside),
    set && h("div.edit", { role: "group", "aria-labelledby": id },
      control(fmt, rule, at(draft, rule.path), draft, (value) => set(rule.path, value)), tool));
}
