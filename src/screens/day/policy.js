/** Every rule of a policy: where it stands, what it is made of, and how it reads as a sentence. */

import { t } from "../shared/words.js";

const rule = (path, kind, more = {}) => ({ path, kind, ...more });

/** Groups of rules in reading order. `span` kinds carry the units that make sense. */
export const RULES = [
  ["booking", [
    rule("booking.opens", "opens"), rule("booking.closes_before", "span", { units: ["M", "H"] }),
    rule("booking.daily_limit", "count?"), rule("booking.open_limit", "count?"), rule("booking.allow_overlap", "flag"),
  ]],
  ["cancel", [
    rule("cancel.free_until", "span", { units: ["M", "H"] }), rule("cancel.after_booking", "span", { units: ["M", "H"] }), rule("cancel.late", "choice", { options: ["refused", "charged"] }),
    rule("cancel.late_fee", "money"), rule("cancel.late_is_strike", "flag"), rule("cancel.forgive_if_refilled", "flag"),
  ]],
  ["waitlist", [
    rule("waitlist.max", "count"), rule("waitlist.mode", "choice", { options: ["auto", "offer"] }),
    rule("waitlist.offer_for", "span", { units: ["M", "H"] }), rule("waitlist.promote_until", "span", { units: ["M", "H"] }),
    rule("waitlist.then", "choice", { options: ["first_come", "closed"] }), rule("waitlist.grace", "span", { units: ["M", "H"] }),
    rule("waitlist.leave_overlapping", "flag"), rule("waitlist.quiet", "quiet"),
  ]],
  ["attendance", [
    rule("attendance.check_in_opens", "span", { units: ["M", "H"] }), rule("attendance.check_in_due", "span", { units: ["M"] }),
    rule("attendance.check_in_closes", "span", { units: ["M"] }), rule("attendance.late_fee", "money"), rule("attendance.no_show_fee", "money"),
    rule("attendance.strikes", "count?"), rule("attendance.strike_window", "span", { units: ["D"] }), rule("attendance.ban", "span", { units: ["D"] }),
    rule("attendance.minimum", "count"), rule("attendance.decide_before", "span", { units: ["M", "H"] }),
    rule("attendance.below_minimum", "choice", { options: ["cancel", "warn"] }), rule("attendance.untouched_roster", "choice", { options: ["review", "penalise"] }),
  ]],
  ["club", [
    rule("change_notice", "span", { units: ["H"] }), rule("retention.history", "span", { units: ["D"] }), rule("retention.events", "span", { units: ["D"] }),
  ]],
];

/** A value of a policy; what a merge patch took out is null. */
export const at = (policy, path) => path.split(".").reduce((found, name) => found?.[name], policy) ?? null;

/** The policy with one value set; the given one stays as it is. */
export function withValue(policy, path, value) {
  const [name, ...rest] = path.split(".");
  return { ...policy, [name]: rest.length ? withValue(policy[name] ?? {}, rest.join("."), value) : value };
}

/** Whether two policies differ in a rule. */
export const differs = (one, other, { path }) => JSON.stringify(at(one, path)) !== JSON.stringify(at(other, path));

/** The rule in words, as the policy has it. */
export function sentence(fmt, policy, { path, kind }) {
  const value = at(policy, path);
  const key = `says.${path}`;
  switch (kind) {
    case "flag": return t(`${key}.${value ? "yes" : "no"}`);
    case "choice": return t(`${key}.${value}`);
    case "count?": return value === null ? t(`${key}.none`) : t(key, { n: value });
    case "count": return t(key, { n: value });
    case "money": return value > 0 ? t(key, { amount: fmt.money({ amount: value, currency: policy.currency }) }) : t(`${key}.none`);
    case "opens": return value.before ? t(`${key}.before`, { span: fmt.span(value.before) }) : t(`${key}.days`, { n: value.days, at: value.at });
    case "quiet": return value ? t(key, value) : t(`${key}.none`);
    default: return isNone(value) ? t(`${key}.none`) : t(key, { span: fmt.span(value) });
  }
}

const isNone = (span) => /^P(?:0D|T0[SMH])$/.test(span);
