/**
 * What is shown comes two ways: as an answer that was asked for, and by itself through the socket. An answer is only as new
 * as its question, so one that was asked for before something newer was taken must not take its place.
 */
export class Newest {
  #asked = 0;
  #taken = 0;

  /** Begins to ask. What it returns says, once the answer is there, whether to take it. */
  asks() {
    const mine = (this.#asked += 1);
    return () => {
      if (mine < this.#taken) return false;
      this.#taken = mine;
      return true;
    };
  }

  /** Something came by itself: whatever has been asked for until now is older. */
  told() {
    this.#taken = this.#asked += 1;
  }
}
