/**
 * The name by which the server knows this tab over page loads.
 *
 * A page takes it out of the tab's storage and puts it back when it goes: a tab that is opened from this one, which
 * starts with a copy of the storage, so never has the same name.
 */

import { remember, remembered } from "./storage.ts";
import { until } from "./until.ts";

const NAME = "tandem-tab";

export class TabName {
  readonly value: string;

  /** Until the session is over. */
  constructor(over: AbortSignal) {
    const random = crypto.getRandomValues(new Uint32Array(3)).join("-");
    // A page without storage is another tab after each load.
    this.value = remembered("sessionStorage", NAME) ?? random;
    this.#forget();
    until(over, window, ["pagehide"], () => remember("sessionStorage", NAME, this.value));
    until(over, window, ["pageshow"], () => this.#forget());
  }

  #forget(): void {
    remember("sessionStorage", NAME, null);
  }
}
