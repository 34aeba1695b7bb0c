/** A line of a class's history as a sentence: what happened, to whom, why, and by whom. */

import { codeWords } from "../shared/problems.js";
import { known, t } from "../shared/words.js";

/** Names of what a change changed, where they mean something to people. */
const CHANGED = { starts: "time", ends: "time", starts_at: "time", minutes: "time", capacity: "capacity", title: "title", room: "room",
  instructor: "instructor", instructor_id: "instructor", instructor_name: "instructor", category: "category", minimum: "minimum", minimum_given: "minimum", terms: "terms",
  below_minimum: "below_minimum", closed: "closed" };

/** The lines as they are shown: those who were passed over for one spot have a line each. */
export function shownLines(lines) {
  return lines.flatMap((line) => {
    const { passed = [], more = 0 } = line.data ?? {};
    if (passed.length === 0) return [line];
    const each = passed.map(({ member, reason }, i) => ({ ...line, cursor: `${line.cursor}/${i}`, member, data: { reason } }));
    return more > 0 ? [...each, { ...line, cursor: `${line.cursor}/more`, event: "passed_more", data: { free: more } }] : each;
  });
}

/** `{words, why, by}` of a line; `names` are the members' by id. */
export function lineWords(screen, line, names) {
  const { fmt } = screen;
  const { event, data = {}, by } = line;
  const name = names.get(line.member) ?? line.member ?? "";
  const late = event === "booking_cancelled" && data.late ? ".late" : event === "booking_confirmed" && data.walk_in ? ".walk_in" : "";
  const key = `hist.${event}${late}`;
  const fields = [...new Set((data.changed ?? []).map((one) => CHANGED[one]).filter(Boolean))].map((one) => t(`changed.${one}`));
  const words = known(key)
    ? t(key, {
      name, what: fields.length ? fmt.list(fields) : t("changed.other"), n: data.free ?? data.position ?? 0,
      when: data.expires_at ? fmt.moment(data.expires_at) : "", amount: data.amount ? fmt.money(amountOf(screen, data)) : "",
    })
    : event;
  return { words, why: whyWords(fmt, event, data), by: byWords(by, line.member) };
}

const amountOf = (screen, { amount, currency }) =>
  typeof amount === "object" ? amount : { amount, currency: currency ?? screen.org.policy.currency };

/** Reasons are refusal codes, words of the service's own, or what somebody typed. */
function whyWords(fmt, event, { reason, how }) {
  if (event === "booking_promoted" && how) return known(`how.${how}`) ? t(`how.${how}`) : "";
  if (!reason) return "";
  if (event === "promotion_passed_over") return t("hist.because", { why: codeWords(fmt, reason) });
  if (known(`because.${reason}`)) return t(`because.${reason}`);
  if (known(`code.${reason}`)) return t(`code.${reason}`);
  return t("hist.reason", { reason });
}

function byWords(by, member) {
  if (!by || by.role === "service" || by.role === "system") return t("by.itself");
  if (by.role === "member") return by.sub === member ? "" : t("by.other", { sub: by.sub });
  return known(`by.${by.role}`) ? t(`by.${by.role}`, { sub: by.sub }) : t("by.other", { sub: by.sub });
}
