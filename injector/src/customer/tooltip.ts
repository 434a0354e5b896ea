/**
 * Tells the customer which places of the page the agent does not see, when they come near one.
 */

import { isElement } from "./dom.ts";
import { make } from "./elements.ts";
import { guarded } from "./guarded.ts";
import type { Stage } from "./stage.ts";

const GAP = 6;

/** The tooltip of one session. */
export class Tooltip {
  readonly #tip = make("div", "tip", "", { role: "tooltip" });
  #near: Element | null = null;

  /** `label` says what to tell about an element, or null. */
  constructor(
    readonly stage: Stage,
    readonly label: (element: Element) => string | null,
  ) {
    this.#tip.hidden = true;
    stage.box.append(this.#tip);
    addEventListener("pointerover", this.#over, { capture: true, passive: true });
    addEventListener("focusin", this.#over, { capture: true, passive: true });
    addEventListener("scroll", this.#place, { capture: true, passive: true });
  }

  /** Takes it away. */
  stop(): void {
    this.#tip.remove();
    removeEventListener("pointerover", this.#over, { capture: true });
    removeEventListener("focusin", this.#over, { capture: true });
    removeEventListener("scroll", this.#place, { capture: true });
  }

  /** The labels have changed. */
  refresh(): void {
    if (this.#near && this.label(this.#near) === null) this.#show(null, "");
  }

  readonly #over = (event: Event): void => {
    if (!event.isTrusted) return;
    guarded(() => {
      for (const target of event.composedPath()) {
        const label = isElement(target) ? this.label(target) : null;
        if (label !== null) {
          this.#show(target as Element, label);
          return;
        }
      }
      this.#show(null, "");
    });
  };

  #show(near: Element | null, label: string): void {
    this.#near = near;
    this.#tip.hidden = !near;
    this.#tip.textContent = label;
    this.#place();
  }

  readonly #place = (): void => {
    if (!this.#near) return;
    const box = this.#near.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = this.#tip;
    const above = box.top - offsetHeight - GAP;
    const top = above >= 0 ? above : Math.min(box.bottom + GAP, innerHeight - offsetHeight - GAP);
    const left = Math.max(GAP, Math.min(box.left, innerWidth - offsetWidth - GAP));
    this.#tip.style.transform = `translate(${left}px,${Math.max(GAP, top)}px)`;
    this.#tip.style.inset = "0 auto auto 0";
  };
}
