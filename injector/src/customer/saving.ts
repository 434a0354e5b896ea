/**
 * Keeps files that a page makes by itself from being saved as an agent's doing: pages press a link with `download` for that,
 * often one that is nowhere in the page, and long after the click.
 *
 * What comes over the network is the proxy's to keep back.
 */

import { guarded } from "./guarded.ts";
import { hook } from "./hooks.ts";
import type { Realms } from "./realms.ts";

/** How long after an action its effects are the agent's doing, in milliseconds; the server has the same. */
const LASTS = 10_000;

/** Of one page. */
export class Saving {
  /** When the agent did something last; 0 when the customer did something since. */
  #since = 0;

  /** `pressed`: told that the customer has done something, which the server has to know too. */
  constructor(realms: Realms, pressed: () => void) {
    for (const event of ["pointerdown", "keydown"] as const) {
      realms.listen(
        event,
        ({ isTrusted }) => {
          if (!isTrusted) return;
          this.#since = 0;
          guarded(pressed);
        },
        true,
      );
    }
    const may = (self: unknown): boolean => !this.#isSaved(self) || !this.#agents();
    realms.each((realm) => {
      hook(realm.HTMLElement.prototype, "click", { before: may });
      hook(realm.EventTarget.prototype, "dispatchEvent", {
        before: (self, [event]) => (event as Event | undefined)?.type !== "click" || may(self),
      });
    });
  }

  /** The agent does something now. */
  acts(): void {
    this.#since = Date.now();
  }

  #agents(): boolean {
    return Date.now() - this.#since < LASTS;
  }

  #isSaved(element: unknown): boolean {
    const { localName, hasAttribute } = element as Partial<Element>;
    return localName === "a" && !!hasAttribute?.call(element, "download");
  }
}
