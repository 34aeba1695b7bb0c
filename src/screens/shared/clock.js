/**
 * The service's time. A phone's clock may be minutes off, and a countdown that lies is worse than none, so the answers'
 * `Date` says how far it is: of several answers the one that came back fastest is believed.
 */

let offset = 0;
let error = Infinity;

/** Takes the `Date` of an answer that took `tookMs`. It is cut to whole seconds, so half of one is added. */
export function learn(date, tookMs) {
  const said = Date.parse(date ?? "");
  const doubt = tookMs / 2 + 500;
  // A better answer, or one so far off that the device's clock must have been set.
  const found = said + 500 + tookMs / 2 - Date.now();
  if (Number.isNaN(said) || (doubt > error && Math.abs(found - offset) < error + doubt)) return;
  error = doubt;
  // Within the doubt the device's own clock is as good, and it does not jump.
  offset = Math.abs(found) <= doubt + 1500 ? 0 : found;
}

export const now = () => Date.now() + offset;

/** Calls at the instant, or at once if it has passed. Returns how to stop waiting. */
export function at(instant, call) {
  let timer;
  const wait = () => {
    const left = Date.parse(instant) - now();
    if (left <= 0) call();
    else timer = setTimeout(wait, Math.min(left + 20, 2 ** 30));
  };
  wait();
  return () => clearTimeout(timer);
}
