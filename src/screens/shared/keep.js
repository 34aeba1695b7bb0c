/**
 * What is kept on this device, and what for this tab alone. A browser may forbid a page to keep anything and throws at
 * the first touch; the screens then say why they cannot go on, and nothing here throws.
 */

class Keep {
  #store = null;

  constructor(name) {
    try {
      this.#store = globalThis[name];
      this.#store.getItem("rollcall");
    } catch {
      this.#store = null;
    }
  }

  get blocked() {
    return this.#store === null;
  }

  get(key) {
    return this.#store?.getItem(key) ?? null;
  }

  /** A device without room forgets; what is shown goes on without it. */
  set(key, value) {
    try {
      this.#store?.setItem(key, value);
    } catch {
      this.drop(key);
    }
  }

  drop(key) {
    this.#store?.removeItem(key);
  }

  clear() {
    this.#store?.clear();
  }
}

export const onDevice = new Keep("localStorage");
export const inTab = new Keep("sessionStorage");
export const blocked = onDevice.blocked || inTab.blocked;
