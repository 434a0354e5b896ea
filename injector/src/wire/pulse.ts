/**
 * Notices that a line is dead although nobody said so: the network changed, the laptop slept.
 *
 * Only silence after a question counts, so that a tab whose timers are slowed down is not mistaken for a dead line.
 */

/** Silence after which the other side is asked for a sign of life, in milliseconds. */
const QUIET = 5000;
/** How long the answer may take. */
const ANSWER = 4000;

export class Pulse {
  readonly #timer: ReturnType<typeof setInterval>;
  #answer: ReturnType<typeof setTimeout> | undefined;
  #heard = Date.now();

  /** `ask` sends the question, `dead` is called once when there is no answer. */
  constructor(
    readonly ask: () => void,
    readonly dead: () => void,
  ) {
    this.#timer = setInterval(() => {
      if (Date.now() - this.#heard >= QUIET) this.check();
    }, QUIET);
  }

  /** Something has come. */
  heard(): void {
    this.#heard = Date.now();
    clearTimeout(this.#answer);
    this.#answer = undefined;
  }

  /** Asks now: there is a reason for doubt. */
  check(): void {
    if (this.#answer !== undefined) return;
    this.ask();
    this.#answer = setTimeout(() => {
      this.stop();
      this.dead();
    }, ANSWER);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#answer);
  }
}
