/** The field that fits a rule. */

import { h } from "../shared/dom.js";
import { minor, step, whole } from "../shared/money.js";
import { select } from "../shared/parts.js";
import { t } from "../shared/words.js";

const UNIT_MIN = { D: 1440, H: 60, M: 1 };

/** A span as a number of one unit: the largest of `units` that it is a whole number of. */
function measured(text, units) {
  const [, days = 0, hours = 0, minutes = 0] = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:\d+S)?)?$/.exec(text ?? "") ?? [];
  const total = Number(days) * 1440 + Number(hours) * 60 + Number(minutes);
  const all = [...new Set([...units, days ? "D" : hours ? "H" : "M"])].sort((a, b) => UNIT_MIN[b] - UNIT_MIN[a]);
  const unit = all.find((one) => total % UNIT_MIN[one] === 0 && total > 0) ?? units[0];
  return { n: total / UNIT_MIN[unit], unit, units: all };
}

const written = (n, unit) => (unit === "D" ? `P${n}D` : `PT${n}${unit}`);

const number = (label, value, onchange, props = {}) =>
  h("input", { type: "number", min: 0, "aria-label": label, value: String(value), onchange: (event) => event.target.validity.valid && event.target.value !== "" && onchange(Number(event.target.value)), ...props });

const toggle = (label, on, onchange) =>
  h("label.option", { key: "toggle" }, h("input", { type: "checkbox", checked: on, onchange: (event) => onchange(event.target.checked) }), h("span", null, label));

/** What changes the rule's value; `set` takes the new one. */
export function control(fmt, rule, value, policy, set) {
  const name = t(`rule.${rule.path}`);
  const span = (text, change, units) => {
    const { n, unit, units: all } = measured(text, units);
    return h("div.row", { key: "span" }, number(name, n, (to) => change(written(to, unit)), { class: "short" }),
      all.length > 1 ? h("label", { key: "unit" }, h("span.sr", null, t("unit")), select("unit", all.map((one) => [one, t(`unit.${one}`)]), unit, (to) => change(written(n, to))))
        : h("span", { key: "unit" }, t(`unit.${unit}`)));
  };
  switch (rule.kind) {
    case "flag": return toggle(name, value, set);
    case "choice": return h("label", null, h("span.sr", null, name), select("choice", rule.options.map((one) => [one, t(`says.${rule.path}.${one}`)]), value, set));
    case "count": return number(name, value, set, { class: "short" });
    case "count?": return h("div.row", null, toggle(t("rules.limited"), value !== null, (on) => set(on ? 3 : null)), value !== null && number(name, value, set, { class: "short", min: 1 }));
    case "money": {
      const { currency } = policy;
      return h("div.row", null, number(name, whole(value, currency), (to) => set(minor(to, currency)), { class: "short", step: step(currency) }), h("span", null, currency));
    }
    case "opens": return h("div.stack", null,
      h("label", { key: "kind" }, h("span.sr", null, name), select("opens", [["before", t("opens.before")], ["days", t("opens.days")]], value.before ? "before" : "days",
        (kind) => set(kind === "before" ? { before: "P7D" } : { days: 7, at: "08:00" }))),
      value.before ? span(value.before, (before) => set({ before }), ["D", "H"])
        : h("div.row", { key: "days" }, number(name, value.days, (days) => set({ ...value, days }), { class: "short" }), h("span", null, t("unit.D")),
          h("input.short", { type: "time", "aria-label": t("form.time"), value: value.at, onchange: (event) => event.target.value && set({ ...value, at: event.target.value }) })));
    case "quiet": return h("div.row", null, toggle(name, value !== null, (on) => set(on ? { from: "22:00", until: "07:00" } : null)),
      value && ["from", "until"].map((end) => h("input.short", { key: end, type: "time", "aria-label": t(`quiet.${end}`), value: value[end], onchange: (event) => event.target.value && set({ ...value, [end]: event.target.value }) })));
    default: return span(value, set, rule.units);
  }
}
