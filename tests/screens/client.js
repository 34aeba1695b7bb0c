/**
 * Stories of `rollcall.js`, for a page that has it at hand; `client.rs` runs them. Those with a service have sockets
 * that remember what was said and can lose a frame; those without have a clock that moves when it is told to.
 */
const load = () => import(document.querySelector('link[href$="/rollcall.js"]').href);
const later = window.setTimeout;
const settled = () => new Promise((done) => later(done, 0));

/** A socket that remembers what the client sent, and loses the next change where the story says so. */
class Remembering extends WebSocket {
  said = [];

  constructor(...given) {
    super(...given);
    client.sockets.push(this);
  }

  send(text) {
    this.said.push(JSON.parse(text));
    super.send(text);
  }

  set onmessage(listener) {
    super.onmessage = (event) => {
      const { op, from } = JSON.parse(event.data);
      if (client.losing && op === "patch" && from > 0) client.losing = false;
      else listener(event);
    };
  }
}

/** A socket at whose other end is the story. */
class Scripted {
  readyState = 0;
  said = [];

  constructor(url, protocol) {
    Object.assign(this, { url, protocol });
    client.sockets.push(this);
  }

  send(text) {
    this.said.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  opens() {
    this.readyState = 1;
    this.onopen();
  }

  hears(...frames) {
    for (const frame of frames) this.onmessage({ data: JSON.stringify(frame) });
  }

  ends(code) {
    this.readyState = 3;
    this.onclose({ code });
  }
}

/** Time that passes when it is told to, and chance that always says the same. */
class Still {
  #now = Date.now();
  #timers = new Map();
  #next = 1;
  chance = 0.5;

  constructor() {
    window.setTimeout = (call, ms) => {
      this.#timers.set(this.#next, { at: this.#now + ms, call });
      return this.#next++;
    };
    window.clearTimeout = (timer) => this.#timers.delete(timer);
    Date.now = () => this.#now;
    Math.random = () => this.chance;
  }

  async passes(ms) {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const [first] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!first) break;
      this.#timers.delete(first[0]);
      this.#now = first[1].at;
      first[1].call();
      await settled();
    }
    this.#now = end;
  }
}

function is(found, expected) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`found ${a} where ${b} was expected`);
}

const from_now = (ms) => new Date(Date.now() + ms).toISOString();

const client = window.client = {
  sockets: [], heard: [], states: [], gone: [], losing: false,

  get last() {
    return this.sockets.at(-1);
  },

  /** With the service: the tokens are given out in turn, the last one again and again. */
  async connects(topics, tokens) {
    const { connect } = await load();
    const token = () => (tokens.length > 1 ? tokens.shift() : tokens[0]);
    this.live = connect({ token, WebSocket: Remembering, onStatus: (status, { code }) => this.states.push([status, code]) });
    for (const topic of topics) this.live.watch(topic, (doc, change) => this.heard.push({ topic, ...change }), (code) => this.gone.push([topic, code]));
  },

  /** Without: connected, and as soon as the story says so welcomed. */
  async alone(topics, story) {
    const { connect } = await load();
    const time = new Still();
    Object.assign(this, { waits: [], tokens: 0 });
    this.live = connect({
      token: () => `t${this.tokens++}`, url: "ws://nowhere/v1/live", WebSocket: Scripted,
      onStatus: (status, { code, retryMs }) => { this.states.push([status, code]); if (retryMs !== undefined) this.waits.push(retryMs); },
    });
    for (const topic of topics) this.live.watch(topic, (doc, change) => this.heard.push([topic, doc, change.from, change.to]), (code) => this.gone.push([topic, code]));
    await settled();
    await story(time);
  },

  async comes_up(heartbeat_ms = 25_000) {
    this.last.opens();
    this.last.hears({ op: "welcome", epoch: "e1", heartbeat_ms, topics_max: 100, expires_at: from_now(3_600_000) });
    await settled();
  },

  pauses_are_random_and_grow_until_a_connection_was_healthy() {
    return this.alone([], async (time) => {
      for (let n = 0; n < 8; n += 1) {
        this.last.ends(1006);
        await time.passes(this.waits.at(-1));
      }
      is(this.waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
      for (const [chance, wait] of [[0, 0], [0.25, 7_500], [0.999, 29_970]]) {
        time.chance = chance;
        this.last.ends(1006);
        is(this.waits.at(-1), wait);
        await time.passes(wait);
      }
      time.chance = 0.5;
      await this.comes_up();
      await time.passes(9_999);
      this.last.ends(4002);
      is(this.waits.at(-1), 15_000);
      await time.passes(15_000);
      await this.comes_up();
      await time.passes(10_000);
      this.last.ends(4000);
      is(this.waits.at(-1), 250);
      is(this.sockets.length, 13);
    });
  },

  a_goodbye_says_when_to_come_back_and_a_refusal_that_there_is_no_way() {
    return this.alone([], async (time) => {
      await this.comes_up();
      this.last.hears({ op: "bye", after_ms: 500, spread_ms: 5_000 });
      this.last.ends(4006);
      is(this.waits, [3_000]);
      await time.passes(3_000);
      await this.comes_up();
      this.last.ends(4109);
      is(this.states.at(-1), ["closed", 4109]);
      await time.passes(600_000);
      is(this.sockets.length, 2);
    });
  },

  silence_is_noticed_from_both_sides() {
    return this.alone([], async (time) => {
      await time.passes(15_000);
      is(this.states.at(-1)[0], "waiting");
      await time.passes(250);
      await this.comes_up();
      for (let n = 0; n < 4; n += 1) {
        await time.passes(25_000);
        this.last.hears({ op: "ping" });
      }
      is(this.last.said.slice(1), Array(4).fill({ op: "pong" }));
      is(this.live.status, "live");
      await time.passes(54_999);
      is(this.live.status, "live");
      await time.passes(1);
      is(this.live.status, "waiting");
    });
  },

  a_token_is_renewed_a_minute_before_it_ends_or_when_most_of_it_is_over() {
    return this.alone([], async (time) => {
      await this.comes_up(10_000_000);
      const renewals = () => this.last.said.slice(1);
      await time.passes(3_539_999);
      is(renewals(), []);
      await time.passes(1);
      is(renewals(), [{ op: "renew", id: 1, token: "t1" }]);
      this.last.hears({ op: "renewed", id: 1, expires_at: from_now(10_000) });
      await time.passes(8_999);
      is(renewals().length, 1);
      await time.passes(1);
      is(renewals()[1], { op: "renew", id: 2, token: "t2" });
    });
  },

  a_gap_is_asked_for_once_and_closed() {
    return this.alone(["me"], async () => {
      await this.comes_up();
      is(this.last.said[0].topics, { me: 0 });
      this.last.hears({ op: "subscribed", topics: { me: 5 } }, { op: "patch", topic: "me", from: 0, to: 5, data: { a: 1, b: 1 } });
      this.last.hears({ op: "patch", topic: "me", from: 7, to: 9, data: { c: 1 } }, { op: "patch", topic: "me", from: 9, to: 10, data: { d: 1 } });
      await settled();
      this.last.hears({ op: "patch", topic: "me", from: 10, to: 11, data: { e: 1 } });
      await settled();
      is(this.last.said.slice(1), [{ op: "subscribe", id: 1, topics: { me: 5 } }]);
      is(this.live.doc("me"), { a: 1, b: 1 });
      this.last.hears({ op: "subscribed", id: 1, topics: { me: 11 } },
        { op: "patch", topic: "me", from: 4, to: 7, data: { b: null } }, { op: "patch", topic: "me", from: 7, to: 11, data: { c: 1, d: 1, e: 1 } },
        { op: "patch", topic: "me", from: 9, to: 10, data: { d: 7 } });
      is(this.live.doc("me"), { a: 1, c: 1, d: 1, e: 1 });
      is(this.heard.map(([, , from, to]) => [from, to]), [[0, 5], [4, 7], [7, 11]]);
    });
  },

  what_is_refused_is_told_and_what_is_only_away_is_asked_for_again() {
    return this.alone(["me", "roster:x"], async (time) => {
      await this.comes_up();
      const error = (topic, code) => ({ op: "error", topic, code, detail: "…" });
      this.last.hears({ op: "subscribed", topics: {} }, error("me", "unavailable"), error("roster:x", "forbidden"));
      is(this.gone, [["roster:x", "forbidden"]]);
      await time.passes(3_000);
      is(this.last.said.slice(1), [{ op: "subscribe", id: 1, topics: { me: 0 } }]);
      this.last.hears({ op: "subscribed", id: 1, topics: { me: 1 } }, { op: "patch", topic: "me", from: 0, to: 1, data: {} }, { op: "gone", topic: "me", code: "not_found" });
      is(this.gone.at(-1), ["me", "not_found"]);
    });
  },

  what_is_asked_for_fits_the_frames_the_server_takes() {
    const topics = Array.from({ length: 100 }, (_, n) => `class:${String(n).padStart(64, "x")}`);
    return this.alone(topics, async () => {
      await this.comes_up();
      const asked = this.last.said.flatMap(({ topics }) => Object.keys(topics));
      is(asked.sort(), topics.sort());
      this.live.watch("me", () => {})();
      for (const topic of topics.slice(0, 60)) this.live.watch(`${topic}y`.slice(0, 70), () => {});
      await settled();
      for (const frame of this.last.said.slice(1)) if (JSON.stringify(frame).length > 4_096) throw new Error("a frame is too long");
      if (JSON.stringify(this.last.said[0]).length > 16_384) throw new Error("the hello is too long");
    });
  },

  async patches_are_merged_as_the_rfc_says() {
    const { merge } = await load();
    const before = { a: { b: 1, c: 2 }, d: [1], e: { f: 1 } };
    const after = merge(before, { a: { b: null, g: 1 }, d: [2], "__proto__": { h: 1 } });
    is([before, after.a, after.d, after.e === before.e, Object.prototype.h], [{ a: { b: 1, c: 2 }, d: [1], e: { f: 1 } }, { c: 2, g: 1 }, [2], true, undefined]);
    is([merge(1, {}), merge({ a: 1 }, 2), merge({ a: 1 }, { a: { b: null } })], [{}, 2, { a: {} }]);
  },

  /** What the module and its connection offer. */
  async offers() {
    const module = await load();
    const live = module.connect({ token: "t", url: "ws://nowhere/v1/live", WebSocket: Scripted });
    live.close();
    return [Object.keys(module).sort(), Object.getOwnPropertyNames(Object.getPrototypeOf(live)).sort()];
  },
};
