/** What a class means to a member right now, in words, and the one thing there is to do. */

import { h } from "./dom.js";
import { now } from "./clock.js";
import { left } from "./parts.js";
import { t } from "./words.js";

const HELD = ["booked", "waitlisted", "offered", "checked_in"];

export const isHeld = (booking) => HELD.includes(booking?.status);

const past = (instant) => Date.parse(instant) <= now();

/** Refusals that have to do with the member, not with the class: they are shown beside the counts. */
const PERSONAL = ["daily_limit", "open_limit", "overlap", "banned", "not_entitled", "frozen", "membership_ended", "no_clips", "too_young"];

/**
 * The state: `tone`, `head` (the big words), `more` (what follows from it) and `action`: `book`, `queue`, `take`, `accept`,
 * `cancel`, `leave` or none. `booking` is the member's live one, if there is one.
 */
export function stateOf(fmt, found, booking, refusal) {
  if (found.status === "cancelled") return { tone: "bad", head: t("state.cancelled") };
  if (booking && isHeld(booking)) return held(fmt, found, booking);
  if (found.status === "finished" || past(found.ends_at)) return { tone: "plain", head: t("state.finished") };
  if (past(found.starts_at)) return { tone: "plain", head: t("state.started") };
  const code = found.can_book?.code;
  if (code === "not_open" || (found.status === "scheduled" && !past(found.terms.opens_at))) {
    return {
      tone: "info", head: t("state.opens", { when: fmt.moment(found.terms.opens_at) }),
      more: [t("state.opens_in"), " ", left(fmt, found.terms.opens_at)], until: found.terms.opens_at,
    };
  }
  if (code && PERSONAL.includes(code)) {
    return { tone: "plain", head: counts(found), more: refusal(code, found.can_book.until), until: found.can_book.until };
  }
  if (code === "closed" || past(found.terms.closes_at)) return { tone: "plain", head: t("code.closed") };
  if (found.free > 0) {
    return {
      tone: "good", head: counts(found), action: "book",
      more: found.needed > 0 ? t("state.needed", { n: found.needed }) : untilWhen(fmt, found),
    };
  }
  if (code === "waitlist_closed" || past(found.terms.promote_until)) {
    return { tone: "plain", head: t("state.full"), more: t("code.waitlist_closed") };
  }
  if (code === "waitlist_full" || found.waiting >= found.terms.waitlist_max) {
    return { tone: "plain", head: fullWords(found), more: t("code.waitlist_full") };
  }
  return { tone: "wait", head: fullWords(found), action: "queue", more: t("state.would_be", { n: found.waiting + 1 }) };
}

function held(fmt, found, booking) {
  switch (booking.status) {
    case "checked_in":
      return { tone: "good", mine: true, head: t("state.checked_in") };
    case "offered":
      return {
        tone: "wait", mine: true, urgent: true, head: t("state.offered"), action: "accept", second: "decline",
        more: booking.offer_expires_at && [left(fmt, booking.offer_expires_at), " ", t("state.to_accept")],
        until: booking.offer_expires_at,
      };
    case "waitlisted": {
      const open = found.free > 0 && past(found.terms.promote_until) && !past(found.starts_at)
        && found.terms.waitlist_then === "first_come";
      if (open) return { tone: "wait", mine: true, urgent: true, head: t("state.spot_free"), more: t("state.first_come"), action: "take", second: "leave" };
      return {
        tone: "wait", mine: true, head: booking.present ? t("state.standby") : t("state.position", { n: booking.position ?? "–" }),
        more: past(found.terms.promote_until) ? t("state.queue_stands") : t("state.moves_until", { when: fmt.moment(found.terms.promote_until) }),
        action: past(found.starts_at) ? undefined : "leave",
      };
    }
    default:
      return {
        tone: "good", mine: true, head: t("state.booked"), action: past(found.starts_at) ? undefined : "cancel",
        more: past(found.starts_at) ? t("state.started") : untilWhen(fmt, found),
      };
  }
}

/** Until when a spot can be given up for nothing; known before it is taken. */
function untilWhen(fmt, { terms }) {
  const spared = terms.after_booking ?? "PT0S";
  if (past(terms.cancel_by) && /[1-9]/.test(spared)) return t("state.free_after", { span: fmt.span(spared) });
  const key = !past(terms.cancel_by) ? "state.free_until" : terms.late_cancel === "charged" ? "state.late_charged" : "state.late_refused";
  return t(key, { when: fmt.moment(terms.cancel_by) });
}

const fullWords = (found) => found.waiting > 0 ? t("state.full_waiting", { n: found.waiting }) : t("state.full");

function counts(found) {
  return found.free > 0 ? t("state.free", { n: found.free, of: found.capacity }) : fullWords(found);
}

/** Whether a day's document names other classes than a list of them: one was published, or moved to this day or away. */
export function differ(list, doc) {
  const known = new Set(list.map((found) => found.id));
  return list.some((found) => !(found.id in doc)) || Object.keys(doc).some((id) => !known.has(id));
}

/** Where, with whom and how long: one quiet line. */
export function about(fmt, found) {
  const minutes = Math.round((Date.parse(found.ends_at) - Date.parse(found.starts_at)) / 60_000);
  return [found.room, found.instructor?.name, fmt.minutes(minutes)].filter(Boolean).join(" · ");
}

/** The state in a coloured line. Words alone carry it; the colour only helps. */
export function stateLine(state) {
  return h("p.state", { "data-tone": state.tone, key: "state" },
    h("strong", null, state.head), state.more && [" ", h("span", null, state.more)]);
}
