/**
 * How long the page is read in one task: what takes longer is done in several, so that the page stays alive.
 */

/** Milliseconds of the first task. */
const TASK = 30;
/** And how many more each further one has. */
const MORE = 4;
/** Nodes between two looks at the clock. */
const STRIDE = 128;

/** More nodes than there are; no infinity, which V8 would make an object of for each step towards it. */
const ALL = 2 ** 30 - 1;

/** The task that is running. */
export class Pace {
  #left = ALL;
  #end = 0;
  /** Each is longer than the one before, so that there is an end to it while the page goes on to change. */
  #tasks = 0;

  /** A task begins, which is as long as it takes unless it is `short`. */
  begin(short: boolean): void {
    this.#left = short ? STRIDE : ALL;
    this.#end = performance.now() + TASK + MORE * this.#tasks++;
  }

  /** All is read. */
  done(): void {
    this.#tasks = 0;
  }

  /** Counts one node; whether it is to be read in another task. */
  get over(): boolean {
    if (--this.#left > 0) return false;
    if (performance.now() >= this.#end) return true;
    this.#left = STRIDE;
    return false;
  }
}
