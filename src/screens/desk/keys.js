/**
 * Keys pressed anywhere on a kiosk's page, by hand or by a scanner, which is a fast keyboard: it writes what it has read
 * and ends it, as it is set up, with Enter or Tab, or begins with one of them. They land in the field, wherever the focus
 * is, so nobody needs to tap it first.
 */

/** Nobody types so fast; scanners take some 1 to 30 ms a key. */
const SCAN_MS = 60;
/** What follows so soon on the end of a scan is the rest of that end: a line feed after Enter, or a Tab. */
const END_MS = 150;
/** Fewer letters in a row than these are no scan. */
const SCAN_MIN = 4;

export class Keys {
  /** Letters in a row that came as from a scanner, and whether any came at all since the last entry. */
  #fast = 0;
  #typed = false;
  #last = 0;
  #ended = -Infinity;

  constructor(arrival) {
    this.arrival = arrival;
  }

  down(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]") || !this.#field) return;
    if (event.key === "Enter") this.#enter(event);
    else if (event.key === "Tab") this.#tab(event);
    else if (event.key.length === 1) this.#letter(event);
  }

  /** What was typed has been sent. */
  over() {
    this.#typed = false;
    this.#fast = 0;
  }

  get #field() {
    return document.getElementById("who");
  }

  #letter(event) {
    this.#fast = event.timeStamp - this.#last < SCAN_MS ? this.#fast + 1 : 1;
    this.#last = event.timeStamp;
    // A blank presses the button that has the focus, unless it comes within a scan.
    if (event.key === " " && this.#fast === 1 && document.activeElement !== this.#field) return;
    this.#typed = true;
    if (document.activeElement === this.#field) return;
    event.preventDefault();
    this.arrival.type(event.key);
  }

  /** Ends an entry that was typed; otherwise it presses what has the focus, as Enter does. */
  #enter(event) {
    const rest = event.timeStamp - this.#ended < END_MS;
    const spent = this.arrival.spent && document.activeElement === this.#field;
    if (!this.#typed && !rest && !spent) return;
    event.preventDefault();
    if (this.#typed) this.#end(event);
  }

  /** Goes to the next thing on the page, except at the end of a scan, or right after. */
  #tab(event) {
    const scanned = this.#fast >= SCAN_MIN && event.timeStamp - this.#last < SCAN_MS;
    if (scanned || event.timeStamp - this.#ended < END_MS) event.preventDefault();
    if (scanned) this.#end(event);
    this.#typed = false;
  }

  #end(event) {
    this.#ended = event.timeStamp;
    // What a leading Enter of the next scan would press.
    if (document.activeElement !== this.#field) document.activeElement?.blur();
    this.arrival.send();
  }
}
