/** A member as the desk sees them: standing, what is ahead, what was, and fees, with what the desk may do about each. */

import { h } from "./dom.js";
import { part, post, read, readAll } from "./api.js";
import { ask, askReason, note } from "./dialogs.js";
import { isHeld } from "./classes.js";
import { empty, tag, waiting } from "./parts.js";
import { t } from "./words.js";

const PAST_SHOWN = 15;
const TONES = { checked_in: "good", booked: "good", no_show: "bad", late_cancelled: "bad", waitlisted: "wait", offered: "wait" };

/** Opens the member in a dialog. */
export async function openMember(screen, member) {
  const card = new Card(screen, member);
  const closed = ask(screen.fmt, { title: () => card.member.name, wide: true, body: (redraw, failed, act, close) => card.view(redraw, close) });
  await screen.attempt(() => card.load());
  return closed;
}

class Card {
  known = null;

  constructor(screen, member) {
    Object.assign(this, { screen, member });
  }

  async load() {
    const id = part(this.member.id);
    const [member, standing, ahead, past, fees] = await Promise.all([
      read(`/v1/members/${id}`), read(`/v1/members/${id}/standing`),
      readAll("/v1/bookings", { member: this.member.id, when: "upcoming" }),
      read("/v1/bookings", { member: this.member.id, when: "past", limit: PAST_SHOWN }),
      readAll("/v1/fees", { member: this.member.id }, { by: "after" }),
    ]);
    const ids = new Set([...ahead, ...past.items].map((booking) => booking.class));
    const classes = await Promise.all([...ids].map((one) => read(`/v1/classes/${part(one)}`).catch(() => null)));
    this.classes = new Map(classes.filter(Boolean).map((found) => [found.id, found]));
    Object.assign(this, { member, standing, ahead, past: past.items, fees, known: true });
    this.redraw?.();
  }

  async #then(words) {
    note(words, "good");
    await this.load();
    return true;
  }

  view(redraw, close) {
    Object.assign(this, { redraw, close });
    if (!this.known) return waiting(4);
    const { fmt } = this.screen;
    const { standing, member } = this;
    const banned = standing.banned_until && Date.parse(standing.banned_until) > Date.now();
    return [
      h("div.row", { key: "contact" }, h("p.about.grow", null, [member.id, member.phone, member.email].filter(Boolean).join(" · ")), this.screen.memberTools?.(this)),
      h("div.row", { key: "marks" },
        tag(member.membership.status === "active" ? "good" : "bad", t(`membership.${member.membership.status}`)),
        tag("plain", t(`plan.${member.membership.plan}`)),
        typeof standing.clips === "number" && tag(standing.clips > 0 ? "plain" : "bad", t("clips", { n: standing.clips })),
        standing.strikes.length > 0 && tag("wait", t("strikes", { n: standing.strikes.length })),
        standing.open_fees.amount > 0 && tag("bad", `${t("member.open_fees")}: ${fmt.money(standing.open_fees)}`),
        banned ? tag("bad", t("member.banned", { when: fmt.full(standing.banned_until) })) : tag("good", t("member.not_banned"))),
      banned && h("div.row", { key: "lift" }, h("button.plain", { type: "button", onclick: () => this.#lift() }, t("member.lift"))),
      h("section.stack", { key: "ahead" }, h("h3", null, t("member.upcoming")), this.#bookings(this.ahead, (booking, found) => this.#aheadTools(booking, found))),
      h("section.stack", { key: "past" }, h("h3", null, t("member.past")), this.#bookings(this.past, (booking, found) => this.#pastTools(booking, found))),
      h("section.stack", { key: "fees" }, h("h3", null, t("member.fees")), this.#ledger()),
    ];
  }

  #bookings(list, tools) {
    if (list.length === 0) return empty(t("member.none"));
    return h("ul.lines", null, list.map((booking) => {
      const found = this.classes.get(booking.class);
      const title = found?.title ?? booking.class;
      return h("li", { key: booking.id },
        h("div", null, h("strong", null, title), h("p.about", null, found && `${this.screen.fmt.full(found.starts_at)} · ${this.screen.club(found.club)}`)),
        h("div.marks", null,
          tag(TONES[booking.status] ?? "plain", t(`status.${booking.status}`), booking.position ? ` ${booking.position}` : ""),
          booking.late && tag("wait", t("mark.late")), booking.fee && tag("bad", this.screen.fmt.money(booking.fee)), tools(booking, { title, ...found })));
    }));
  }

  #aheadTools(booking, found) {
    if (!isHeld(booking) || booking.status === "checked_in") return null;
    return h("button.plain.small", { type: "button", "aria-label": `${t("member.cancel")}: ${found.title}`, onclick: () => this.#cancel(booking, found) }, t("member.cancel"));
  }

  #pastTools(booking, found) {
    if (!["no_show", "late_cancelled"].includes(booking.status)) return null;
    return h("button.plain.small", { type: "button", "aria-label": `${t("member.excuse")}: ${found.title}`, onclick: () =>
      askReason(this.screen.fmt, {
        title: t("member.excuse_title", { name: this.member.name, title: found.title }), text: t("member.excuse_text"), label: t("member.excuse"), tone: "primary",
        run: async (reason) => { await post(`/v1/bookings/${part(booking.id)}/excuse`, { reason }); return this.#then(t("member.excused")); },
      }) }, t("member.excuse"));
  }

  #lift() {
    return askReason(this.screen.fmt, {
      title: t("member.lift_title", { name: this.member.name }), text: t("member.lift_text"), label: t("member.lift"), tone: "primary",
      run: async (reason) => { await post(`/v1/members/${part(this.member.id)}/lift-ban`, { reason }); return this.#then(t("member.lifted")); },
    });
  }

  async #cancel(booking, found) {
    const { fmt } = this.screen;
    const preview = await read(`/v1/bookings/${part(booking.id)}/cancel-preview`).catch(() => ({ outcome: "refused" }));
    const option = (value, label, chosen) => h("label.option", { key: value }, h("input", { type: "radio", name: "how", value, checked: chosen || undefined }), h("span", null, label));
    const rules = { free: t("member.cancel_free"), charged: preview.fee ? fmt.money(preview.fee) : t("clips", { n: 1 }) }[preview.outcome];
    return askReason(fmt, {
      title: t("member.cancel_title", { name: this.member.name, title: found.title }), label: t("member.cancel"),
      extra: h("fieldset", { key: "how" }, h("legend", { class: "sr" }, t("member.cancel")),
        rules && option("rules", `${t("member.cancel_rules")}: ${rules}`, true),
        preview.outcome !== "free" && option("free", t("member.cancel_free"), !rules),
        preview.outcome !== "free" && option("charge", t("member.cancel_charge"))),
      run: async (reason, form) => {
        const charge = { free: false, charge: true }[form.get("how")];
        await post(`/v1/bookings/${part(booking.id)}/cancel`, charge === undefined ? { reason } : { charge, reason });
        return this.#then(t("desk.booked", { name: this.member.name, status: t("status.cancelled") }));
      },
    });
  }

  #ledger() {
    if (this.fees.length === 0) return empty(t("member.no_fees"));
    const waived = new Set(this.fees.map((line) => line.waives).filter(Boolean));
    return h("ul.lines", null, this.fees.filter((line) => line.kind === "charged").reverse().map((line) => h("li", { key: line.id },
      h("div", null, h("strong", null, this.screen.fmt.money(line.amount)), h("p.about", null, `${t(`fee.${line.reason}`)} · ${this.screen.fmt.full(line.at)}`)),
      h("div.marks", null, waived.has(line.id) ? tag("good", t("member.waived")) : waiveButton(this.screen, line, () => this.#then(t("member.waived")))))));
  }
}

/** Takes a charged line back, with a reason. */
export function waiveButton(screen, line, then) {
  const amount = screen.fmt.money(line.amount);
  return h("button.plain.small", { type: "button", "aria-label": `${t("member.waive")}: ${amount}, ${line.member}`, onclick: () => askReason(screen.fmt, {
    title: t("member.waive_title", { amount }), label: t("member.waive"), tone: "primary",
    run: async (reason) => { await post(`/v1/fees/${part(line.id)}/waive`, { reason }); return then(); },
  }) }, t("member.waive"));
}
