/**
 * Says why an action can not be done.
 */

import type { Refusal } from "../protocol/words.ts";

/** Thrown by what can not be done; never leaves the executor. */
export class Refused {
  constructor(readonly why: Refusal) {}
}
