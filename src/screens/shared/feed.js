/**
 * What a screen shows is kept current: by the socket while it is up, by asking again now and then while it is not.
 * The same state functions take both, so a screen cannot tell them apart but by their speed.
 */

import { connect } from "../rollcall.js";
import { onReach } from "./api.js";
import { bearer } from "./session.js";

const POLL_MS = 8_000;
/** Days of so many clubs are watched at once; a socket may ask for a hundred topics. */
export const CLUBS_WATCHED_MAX = 40;
/** A socket that blinks is no news: the banner waits this long. */
const LOST_MS = 2_500;

export class Feed {
  #live;
  #polls = new Set();
  #timer;
  #reachable = true;
  #lostTimer;
  /** Whether the socket is up; `quiet` is how long it may take to come up before anybody is told. */
  live = false;
  lost = false;

  /** `onChange` is told when the connection is lost or back, and each time the socket comes up. */
  constructor(onChange) {
    this.onChange = onChange;
    this.#live = connect({ token: bearer, onStatus: (status) => this.#status(status) });
    onReach((reachable) => {
      this.#reachable = reachable;
      this.#judge();
    });
    addEventListener("online", () => this.#ask());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && !this.live) this.#ask();
    });
    this.#schedule();
  }

  /** A topic's document, first as it is and after each change. Returns how to stop. */
  watch(topic, listener, onGone) {
    return this.#live.watch(topic, listener, onGone);
  }

  /** A class as it was answered, with what came by itself for its day meanwhile. */
  current(found, day) {
    const doc = this.live ? this.#live.doc(`day:${found.club}:${day}`) : undefined;
    return { ...found, ...doc?.[found.id] };
  }

  /** Called now and then while the socket is down, and once it is up again. Returns how to stop. */
  poll(call) {
    this.#polls.add(call);
    return () => this.#polls.delete(call);
  }

  #status(status) {
    const was = this.live;
    this.live = status === "live";
    if (this.live && !was) this.#ask();
    this.#judge();
  }

  #judge() {
    const lost = !this.#reachable;
    if (lost === this.lost) {
      clearTimeout(this.#lostTimer);
      this.#lostTimer = undefined;
    } else if (!lost || !navigator.onLine) {
      clearTimeout(this.#lostTimer);
      this.#lostTimer = undefined;
      this.lost = lost;
      this.onChange({ lost, live: this.live });
    } else {
      this.#lostTimer ??= setTimeout(() => {
        this.#lostTimer = undefined;
        this.lost = !this.#reachable;
        if (this.lost) this.onChange({ lost: true, live: this.live });
      }, LOST_MS);
    }
  }

  #schedule() {
    clearTimeout(this.#timer);
    const wait = POLL_MS * (0.8 + 0.4 * Math.random());
    this.#timer = setTimeout(() => {
      if (!this.live && document.visibilityState === "visible") this.#ask();
      else this.#schedule();
    }, this.lost ? wait / 4 : wait);
  }

  async #ask() {
    clearTimeout(this.#timer);
    await Promise.allSettled([...this.#polls].map((call) => call()));
    this.#schedule();
  }
}
