/** Members' names by id, each asked for once: events and the ledger carry ids alone. */

import { part, read } from "../shared/api.js";
import { t } from "../shared/words.js";

export class Names {
  #known = new Map();

  get(id) {
    return this.#known.get(id);
  }

  set(id, name) {
    this.#known.set(id, name);
  }

  /** Learns those not yet known. */
  async learn(ids) {
    const missing = [...new Set(ids)].filter((id) => id && !this.#known.has(id));
    await Promise.all(missing.map(async (id) => {
      const member = await read(`/v1/members/${part(id)}`).catch(() => null);
      this.#known.set(id, member?.name ?? t("roll.erased"));
    }));
  }
}
