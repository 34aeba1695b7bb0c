/**
 * Rollcall, live: a small client for `GET /v1/live`, with no dependency.
 *
 * Every topic is a small JSON document. `watch` names one and is told the whole document, first as it is and then
 * after each change; reconnecting, resuming and healing happen underneath and look like any other change.
 *
 *     import { connect } from "./rollcall.js";
 *
 *     const live = connect({ token: () => fetchToken() });
 *     const stop = live.watch("class:yoga-1", (doc, change) => {
 *       spots.textContent = `${doc.free} of ${doc.capacity}`;
 *       if (change.event === "booking_promoted") chime();
 *     });
 *     // later
 *     stop();
 *     live.close();
 *
 * | topic                | document                                                                   | who                   |
 * |----------------------|----------------------------------------------------------------------------|-----------------------|
 * | `class:<id>`         | the public face of a class, with its counts                                | anyone                |
 * | `day:<club>:<date>`  | `{"<class id>": …the same}`                                                | anyone                |
 * | `me`                 | `{bookings: {"<id>": booking, with its class's title, club, times}, standing}` | the token's member |
 * | `roster:<id>`        | `{class, bookings: {"<id>": {member, name, status, …}}}`                   | its instructor, staff |
 *
 * A key that has no value is absent from a document, never null. Documents handed to listeners are never changed
 * afterwards: what is unchanged in the next one is the same object, so `===` tells what to draw again.
 */

/** The subprotocol this client speaks. */
export const PROTOCOL = "rollcall.v1";

/** Bytes of the largest first frame, and of any later one; a little below what the server takes. */
const HELLO_BYTES_MAX = 23 * 1024;
const FRAME_BYTES_MAX = 3_500;
const RENEW_BYTES_MAX = 4 * 1024;

/** The pause before the n-th attempt is a random part of `min(MAX, MIN * 2^n)`. */
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 30_000;

/** A connection that lasted so long was healthy: the next pause starts small again. */
const HEALTHY_MS = 10_000;

/** How long connecting may take until the server's welcome. */
const WELCOME_MS_MAX = 15_000;

/** A token is renewed this long before it ends, or at nine tenths of what is left if that is less. */
const RENEW_MS_BEFORE = 60_000;

/** Longer than any browser's timer can wait. */
const TIMER_MS_MAX = 2_147_483_647;

/**
 * The document after a merge patch (RFC 7396). Neither argument is changed, and parts the patch does not name are
 * shared with the result.
 */
export function merge(target, patch) {
  if (!isObject(patch)) return patch;
  // Without a prototype, a key like `__proto__` is a key like any other.
  const merged = Object.assign(Object.create(null), isObject(target) ? target : undefined);
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) delete merged[key];
    else merged[key] = merge(merged[key], patch[key]);
  }
  return merged;
}

/**
 * Connects, and stays connected until `close`.
 *
 * @param {object} options
 * @param {string | (() => string | Promise<string>)} options.token  A token, or where to get one. A function is asked
 *   before each connection and before the token ends, so give one where tokens are short-lived.
 * @param {string} [options.url]  `ws(s)://…/v1/live`; by default that of the page's own host.
 * @param {(status: string, detail: object) => void} [options.onStatus]  Told `connecting`, `live`, `waiting`
 *   (`{code, retryMs}`) and `closed` (`{code}`: 41xx where the server will not have us back, 1000 after `close`).
 * @param {typeof WebSocket} [options.WebSocket]  For environments without a global one.
 * @returns {Live}
 */
export function connect(options) {
  return new Live(options);
}

/** One connection and its documents; made by `connect`. */
class Live {
  #options;
  /** topic -> Topic */
  #topics = new Map();
  #socket = null;
  #welcomed = false;
  #epoch;
  #status = "";
  #closed = false;
  #failures = 0;
  #comeBack = null;
  #nextId = 1;
  /** id of a frame -> the topics it asked for */
  #asked = new Map();
  #token = "";
  #timers = {};
  #heartbeatMs = 25_000;
  #syncing = false;

  constructor(options) {
    this.#options = options;
    this.#open();
  }

  /**
   * Listens to a topic. `listener(doc, change)` is called with the document as soon as it is known and after each
   * change; `change` is `{event?, at?, from, to}` (`from` 0: the whole document came anew).
   * `onGone(code, detail)` is called when the topic is refused or the right to it ends; it is then listened to no more.
   * Returns a function that stops listening.
   */
  watch(topic, listener, onGone) {
    const entry = { listener, onGone };
    let state = this.#topics.get(topic);
    if (!state) {
      state = { doc: undefined, have: 0, wanted: new Set(), asked: "no" };
      this.#topics.set(topic, state);
    } else if (state.have > 0) {
      queueMicrotask(() => {
        if (state.wanted.has(entry) && state.have > 0) listener(state.doc, { from: 0, to: state.have });
      });
    }
    state.wanted.add(entry);
    this.#syncSoon();
    return () => {
      state.wanted.delete(entry);
      this.#syncSoon();
    };
  }

  /** The document of a watched topic as it is known now; undefined before the first. */
  doc(topic) {
    return this.#topics.get(topic)?.doc;
  }

  /** `connecting`, `live`, `waiting` or `closed`. */
  get status() {
    return this.#status;
  }

  /** Ends the connection for good. */
  close() {
    this.#end(1000);
  }

  // ---- the connection

  async #open() {
    this.#say("connecting", {});
    this.#comeBack = null;
    let token;
    try {
      token = await this.#freshToken();
    } catch (error) {
      return this.#retry({ code: 0, error });
    }
    if (this.#closed) return;
    const Socket = this.#options.WebSocket ?? globalThis.WebSocket;
    const socket = new Socket(this.#options.url ?? ownUrl(), PROTOCOL);
    this.#socket = socket;
    this.#token = token;
    this.#welcomed = false;
    this.#timer("welcome", WELCOME_MS_MAX, () => this.#lost(socket, 0));
    socket.onopen = () => this.#hello();
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => this.#lost(socket, code);
    socket.onerror = () => {};
  }

  #hello() {
    for (const [topic, state] of this.#topics) {
      state.asked = "no";
      if (state.wanted.size === 0) this.#topics.delete(topic);
    }
    this.#asked.clear();
    const hello = { op: "hello", token: this.#token, epoch: this.#epoch, topics: {} };
    const room = HELLO_BYTES_MAX - bytes(hello);
    const [first] = portions(this.#missing(), room);
    if (first) {
      hello.topics = first;
      this.#asked.set(0, Object.keys(first));
      for (const topic of Object.keys(first)) this.#topics.get(topic).asked = "pending";
    }
    this.#send(hello);
  }

  #lost(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#welcomed = false;
    for (const name of Object.keys(this.#timers)) this.#timer(name);
    socket.onclose = null;
    socket.close();
    if (code >= 4100 && code < 4200) return this.#end(code);
    this.#retry({ code });
  }

  #retry(detail) {
    if (this.#closed) return;
    const most = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(this.#failures, 10));
    const retryMs = this.#comeBack ?? Math.random() * most;
    this.#failures += 1;
    this.#say("waiting", { ...detail, retryMs });
    this.#timer("retry", retryMs, () => this.#open());
  }

  #end(code) {
    if (this.#closed) return;
    this.#closed = true;
    for (const name of Object.keys(this.#timers)) this.#timer(name);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onclose = null;
      socket.close(1000);
    }
    this.#say("closed", { code });
  }

  #say(status, detail) {
    this.#status = status;
    this.#options.onStatus?.(status, detail);
  }

  // ---- frames

  #send(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  #receive(frame) {
    this.#listenForSilence();
    switch (frame.op) {
      case "ping":
        return this.#send({ op: "pong" });
      case "welcome":
        return this.#welcome(frame);
      case "subscribed":
        return this.#subscribed(frame);
      case "patch":
        return this.#patch(frame);
      case "gone":
        return this.#gone([frame.topic], frame.code, frame.detail);
      case "renewed":
        return this.#renewAt(frame.expires_at);
      case "bye":
        this.#comeBack = frame.after_ms + Math.random() * frame.spread_ms;
        return;
      case "error":
        return this.#refused(frame);
    }
  }

  #welcome({ epoch, heartbeat_ms, expires_at }) {
    this.#welcomed = true;
    this.#epoch = epoch;
    this.#heartbeatMs = heartbeat_ms;
    this.#timer("welcome");
    this.#timer("healthy", HEALTHY_MS, () => (this.#failures = 0));
    this.#renewAt(expires_at);
    this.#listenForSilence();
    this.#say("live", {});
    this.#syncSoon();
  }

  /** The server speaks at least once a heartbeat; twice as long without a word, and the connection is dead. */
  #listenForSilence() {
    const socket = this.#socket;
    if (this.#welcomed) this.#timer("silence", 2 * this.#heartbeatMs + 5_000, () => this.#lost(socket, 0));
  }

  #subscribed({ id = 0, topics }) {
    this.#asked.delete(id);
    for (const topic of Object.keys(topics)) {
      const state = this.#topics.get(topic);
      if (state?.asked === "pending") state.asked = "yes";
    }
  }

  #patch({ topic, from, to, data, event, at }) {
    const state = this.#topics.get(topic);
    if (!state) return;
    if (from === 0) state.doc = data;
    else if (to <= state.have) return;
    else if (from <= state.have) state.doc = merge(state.doc, data);
    else {
      // A gap. While a subscription is being answered, it is that answer which fills it.
      if (state.asked === "yes") {
        state.asked = "no";
        this.#syncSoon();
      }
      return;
    }
    state.have = to;
    for (const { listener } of [...state.wanted]) listener(state.doc, { event, at, from, to });
  }

  #gone(topics, code, detail) {
    for (const topic of topics) {
      const state = this.#topics.get(topic);
      this.#topics.delete(topic);
      for (const { onGone } of state ? [...state.wanted] : []) onGone?.(code, detail);
    }
  }

  /** An error names its topic, or the frame it answers. One that is only for now is asked again. */
  #refused({ id = 0, topic, code, detail }) {
    if (topic === undefined) return;
    const state = this.#topics.get(topic);
    if (!state || state.asked !== "pending") return;
    if (code !== "unavailable") return this.#gone([topic], code, detail);
    state.asked = "later";
    this.#timer(`again ${topic}`, BACKOFF_MS_MIN + Math.random() * 2_000, () => {
      if (state.asked === "later") state.asked = "no";
      this.#syncSoon();
    });
  }

  // ---- topics: what is asked for follows what is wanted, a few at a time

  #syncSoon() {
    if (this.#syncing) return;
    this.#syncing = true;
    queueMicrotask(() => {
      this.#syncing = false;
      this.#sync();
    });
  }

  #sync() {
    if (!this.#welcomed) return;
    const unwanted = [];
    for (const [topic, state] of this.#topics) {
      if (state.wanted.size > 0) continue;
      if (state.asked !== "no") unwanted.push(topic);
      this.#topics.delete(topic);
    }
    for (const topics of portions(unwanted.map((topic) => [topic, 0]), FRAME_BYTES_MAX)) {
      this.#send({ op: "unsubscribe", id: this.#nextId++, topics: Object.keys(topics) });
    }
    for (const topics of portions(this.#missing(), FRAME_BYTES_MAX)) {
      const id = this.#nextId++;
      this.#asked.set(id, Object.keys(topics));
      for (const topic of Object.keys(topics)) this.#topics.get(topic).asked = "pending";
      this.#send({ op: "subscribe", id, topics });
    }
  }

  /** Topics that are wanted and not asked for, with the versions held. */
  #missing() {
    return [...this.#topics].filter(([, state]) => state.wanted.size > 0 && state.asked === "no")
      .map(([topic, state]) => [topic, state.have]);
  }

  // ---- the token

  async #freshToken() {
    const { token } = this.#options;
    return typeof token === "function" ? await token() : token;
  }

  #renewAt(expiresAt) {
    const left = Date.parse(expiresAt) - Date.now();
    const socket = this.#socket;
    const wait = Math.min(TIMER_MS_MAX, Math.max(left - RENEW_MS_BEFORE, left * 0.9, 1_000));
    this.#timer("renew", wait, async () => {
      const token = await this.#freshToken().catch(() => this.#token);
      // The same token again would change nothing: the server closes 4001, and the next connection asks anew.
      if (socket !== this.#socket || token === this.#token) return;
      this.#token = token;
      const frame = { op: "renew", id: this.#nextId++, token };
      // A token that only a hello has room for: the server closes 4001, and the next hello carries it.
      if (bytes(frame) <= RENEW_BYTES_MAX) this.#send(frame);
    });
  }

  /** Starts a named timer anew, or only stops it. */
  #timer(name, ms, then) {
    clearTimeout(this.#timers[name]);
    delete this.#timers[name];
    if (then) this.#timers[name] = setTimeout(then, ms);
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bytes(value) {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

/** Objects of topic and version, each of at most so many bytes as JSON. */
function portions(entries, bytesMax) {
  const out = [];
  let room = 0;
  for (const [topic, have] of entries) {
    const size = topic.length + String(have).length + 4;
    if (size > room) {
      out.push(Object.create(null));
      room = bytesMax;
    }
    out.at(-1)[topic] = have;
    room -= size;
  }
  return out;
}

function ownUrl() {
  const { protocol, host } = globalThis.location;
  return `${protocol === "https:" ? "wss:" : "ws:"}//${host}/v1/live`;
}
