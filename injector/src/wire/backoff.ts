/**
 * How long to wait before the next try: at once, then longer, never long.
 *
 * A server that was restarted is found within two seconds of its return, and not by everybody in the same instant.
 */

/** First and longest wait, in milliseconds; a quarter more or less. */
const [SHORTEST, LONGEST] = [100, 1200];

export class Backoff {
  #wait = SHORTEST;

  /** A try has succeeded. */
  reset(): void {
    this.#wait = SHORTEST;
  }

  /** The wait before the next try, in milliseconds. */
  next(): number {
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(this.#wait * 2, LONGEST);
    return wait;
  }
}
