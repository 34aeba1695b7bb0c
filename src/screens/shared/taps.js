/**
 * Taps of the roll. Each is kept on the device under a key of its own until the service has answered it, and sent in
 * order, so a connection that drops loses none and repeats none. What is kept names bookings, never people.
 */

import { freshKey, part, post } from "./api.js";
import { onDevice } from "./keep.js";
import { claims } from "./session.js";

const RETRY_MS_MAX = 8_000;
/** Older than this, the class is long closed. */
const KEPT_MS = 6 * 3_600_000;
/** What of a tap is kept. */
const FIELDS = ["booking", "action", "key", "at", "sent"];

/** Where somebody's taps are kept: no two people share it, whatever their ids hold. */
export const place = ({ org, sub }) => `rollcall.taps.${encodeURIComponent(org)}/${encodeURIComponent(sub)}`;

/** The taps that are kept there; what cannot be read is dropped. */
function kept(name) {
  const text = onDevice.get(name);
  if (text === null) return [];
  try {
    const sound = (tap) => ["booking", "action", "key"].every((field) => typeof tap[field] === "string") && Number.isFinite(tap.at);
    const list = JSON.parse(text);
    if (list.every(sound)) return list.filter((tap) => Date.now() - tap.at < KEPT_MS);
  } catch {
    // Not ours, or half of it.
  }
  onDevice.drop(name);
  return [];
}

export class Taps {
  #list = [];
  #sending = false;
  #timer;
  #retryMs = 500;

  /** `onChange` is called when the list changed, `onDone` and `onRefused` with each tap's outcome. */
  constructor({ onChange, onDone, onRefused }) {
    Object.assign(this, { onChange, onDone, onRefused });
    this.name = place(claims());
    this.#list = kept(this.name);
    addEventListener("online", () => this.send());
    if (this.#list.length) this.send();
  }

  get waiting() {
    return this.#list.length;
  }

  /** The last tap on a booking that has not been answered. */
  of(booking) {
    return this.#list.findLast((tap) => tap.booking === booking);
  }

  /** `action` is `check-in` or `undo-check-in`. */
  add(booking, action, name) {
    const last = this.of(booking);
    // Taken back before it was ever sent: nothing happened.
    if (last && !last.sent && last.action !== action) this.#list = this.#list.filter((tap) => tap !== last);
    else if (last?.action !== action) this.#list.push({ booking, action, name, key: freshKey(), at: Date.now() });
    this.#keep();
    this.send();
  }

  #write() {
    onDevice.set(this.name, JSON.stringify(this.#list, FIELDS));
  }

  #keep() {
    this.#write();
    this.onChange();
  }

  async send() {
    if (this.#sending) return;
    this.#sending = true;
    clearTimeout(this.#timer);
    try {
      while (this.#list.length) {
        const [tap] = this.#list;
        tap.sent = true;
        this.#write();
        try {
          const booking = await post(`/v1/bookings/${part(tap.booking)}/${tap.action}`, {}, { key: tap.key, tries: 1 });
          this.onDone(tap, booking);
        } catch (problem) {
          if (problem.mayRepeat) {
            this.#timer = setTimeout(() => this.send(), this.#retryMs);
            this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
            return;
          }
          if (!problem.code) throw problem;
          this.onRefused(tap, problem);
        }
        this.#retryMs = 500;
        this.#list = this.#list.filter((other) => other !== tap);
        this.#keep();
      }
    } finally {
      this.#sending = false;
    }
  }
}
