/**
 * Calls of the service. A read is made once. A write carries an `Idempotency-Key` and is repeated under the same key
 * while nobody knows whether it arrived, so a tap counts once however bad the connection is.
 */

import { bearer } from "./session.js";
import { learn } from "./clock.js";

const TRIES = 3;
const TRY_MS_MAX = 10_000;
/** Who is told to come back later than this is told, and does not wait. */
const PATIENCE_MS = 5_000;

/** What went wrong: the service's problem (RFC 9457), or `offline` where no answer came. */
export class Problem extends Error {
  constructor(body) {
    super(body.detail ?? body.code);
    this.code = body.code;
    this.until = body.until;
    this.errors = body.errors ?? [];
    this.retryMs = (body.retry_after ?? 1) * 1000;
    this.status = body.status ?? 0;
  }

  /** Nobody knows whether it was carried out, or it was not and may be later. */
  get mayRepeat() {
    return ["offline", "unavailable", "outcome_unknown", "rate_limited"].includes(this.code);
  }
}

export const offline = () => new Problem({ code: "offline" });

const listeners = new Set();
let reachable = true;

/** Told each time the service comes within reach or goes out of it. */
export function onReach(listener) {
  listeners.add(listener);
}

function reach(now) {
  if (now === reachable) return;
  reachable = now;
  for (const listener of listeners) listener(now);
}

addEventListener("offline", () => reach(false));

async function call(method, path, body, headers) {
  const sent = performance.now();
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${bearer()}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TRY_MS_MAX),
      cache: "no-store",
    });
  } catch {
    reach(false);
    throw offline();
  }
  learn(answer.headers.get("date"), performance.now() - sent);
  const text = await answer.text().catch(() => "");
  let read = null;
  try {
    read = text ? JSON.parse(text) : null;
  } catch {
    // Not ours: a proxy's page.
  }
  reach(answer.status < 502 || read?.code !== undefined);
  if (answer.ok) return read;
  throw new Problem({ code: answer.status >= 500 ? "unavailable" : "internal", ...read, status: answer.status });
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** A fresh key for one tap. */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A path with its parameters; those without a value are left out. */
export function path(base, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== "") query.set(name, value);
  }
  const text = query.toString();
  return text ? `${base}?${text}` : base;
}

/** An id as a part of a path. */
export const part = (id) => encodeURIComponent(id);

export const read = (base, params) => call("GET", path(base, params));

/** Every item of a list, page by page, up to `max`. The ledger calls its cursor `after`. */
export async function readAll(base, params = {}, { max = 1000, by = "cursor" } = {}) {
  const items = [];
  let next;
  do {
    const page = await read(base, { ...params, limit: 200, [by]: next });
    items.push(...page.items);
    next = page.next;
  } while (next && items.length < max);
  return items;
}

/** One write. `tries: 1` leaves repeating to the caller, who then gives the `key`. */
export async function write(method, target, body, { key = freshKey(), tries = TRIES, match } = {}) {
  const headers = { "idempotency-key": key };
  if (match !== undefined) headers["if-match"] = `"${match}"`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(method, target, body, headers);
    } catch (problem) {
      if (!problem.mayRepeat || attempt >= tries || problem.retryMs > PATIENCE_MS) throw problem;
      await pause(problem.retryMs * attempt);
    }
  }
}

export const post = (target, body = {}, options) => write("POST", target, body, options);
export const put = (target, body, options) => write("PUT", target, body, options);
export const patch = (target, body, options) => write("PATCH", target, body, options);
export const remove = (target, options) => write("DELETE", target, undefined, options);
