/** Giving something up: what it costs is shown before it costs anything. */

import { h } from "../shared/dom.js";
import { part, post, read } from "../shared/api.js";
import { ask } from "../shared/dialogs.js";
import { tag } from "../shared/parts.js";
import { t } from "../shared/words.js";

/** Asks the service for the price, then the member. Answers with the booking if it was given up. */
export async function cancelWithPrice(fmt, found, booking) {
  const preview = await read(`/v1/bookings/${part(booking.id)}/cancel-preview`);
  const kind = { waitlisted: "leave", offered: "decline" }[booking.status] ?? "cancel";
  const run = () => post(`/v1/bookings/${part(booking.id)}/cancel`);
  const label = preview.outcome === "charged" ? t("cancel.go_charged", { price: price(fmt, preview) }) : t(`cancel.go_${kind}`);
  return ask(fmt, {
    title: t(`cancel.title_${kind}`, { title: found.title }),
    body: () => [
      h("p", { key: "when" }, `${found.title} · ${fmt.moment(found.starts_at)}`),
      h("div.price", { key: "price", "data-tone": { free: "good", charged: "bad", refused: "plain" }[preview.outcome] },
        preview.outcome === "free" && [tag("good", t("cancel.free")), kind === "cancel" && h("p", null, t("cancel.free_until", { when: fmt.moment(preview.free_until) })), kind === "leave" && h("p", null, t("cancel.lose_place", { n: booking.position ?? "–" }))],
        preview.outcome === "charged" && [h("p", null, t("cancel.late", { when: fmt.moment(preview.free_until) })), h("p.amount", null, price(fmt, preview)), preview.strike && h("p", null, t("cancel.strike"))],
        preview.outcome === "refused" && h("p", null, t("cancel.refused", { when: fmt.moment(preview.free_until) }))),
    ],
    closeLabel: t(preview.outcome === "refused" ? "close" : "cancel.keep"),
    actions: preview.outcome === "refused" ? [] : [{ label, tone: "danger", run }],
  });
}

function price(fmt, { fee, clip }) {
  return [fee && fmt.money(fee), clip && t("clips", { n: 1 })].filter(Boolean).join(" + ") || t("cancel.nothing");
}
