/**
 * Tells the customer which places of the page the agent does not see, when they come near one.
 */

import { boxOf, frameOf, isElement } from "../customer/dom.ts";
import { make } from "../customer/elements.ts";
import { guarded } from "../customer/guarded.ts";
import type { Realms } from "../customer/realms.ts";
import type { Stage } from "../customer/stage.ts";

const GAP = 6;

/** The tooltip of one session. */
export class Tooltip {
  readonly #tip = make("div", "tip", "", { role: "tooltip" });
  readonly #gone = new AbortController();
  #near: Element | null = null;

  /** `label` says what to tell about an element, or null. */
  constructor(
    readonly stage: Stage,
    realms: Realms,
    readonly label: (element: Element) => string | null,
  ) {
    this.#tip.hidden = true;
    stage.box.append(this.#tip);
    const { signal } = this.#gone;
    for (const type of ["pointerover", "focusin"] as const) realms.listen(type, this.#over, signal);
    realms.listen("scroll", this.#place, signal);
    // The customer may have come near before this was loaded.
    const hovered = [...document.querySelectorAll(":hover")].reverse();
    guarded(() => this.#look([document.activeElement, ...hovered]));
  }

  /** Takes it away. */
  stop(): void {
    this.#tip.remove();
    this.#gone.abort();
  }

  /** The labels have changed. */
  refresh(): void {
    if (this.#near && this.label(this.#near) === null) this.#show(null, "");
  }

  readonly #over = (event: Event): void => {
    if (!event.isTrusted) return;
    guarded(() => {
      const path = event.composedPath();
      // The path ends at the window of a frame, and goes on with the frame.
      for (let at = (event as UIEvent).view?.frameElement; at; at = frameOf(at.ownerDocument)) path.push(at);
      this.#look(path);
    });
  };

  /** Shows it at the first of these that has one. */
  #look(path: readonly unknown[]): void {
    for (const target of path) {
      const label = isElement(target) ? this.label(target) : null;
      if (label !== null) {
        this.#show(target as Element, label);
        return;
      }
    }
    this.#show(null, "");
  }

  #show(near: Element | null, label: string): void {
    this.#near = near;
    this.#tip.hidden = !near;
    this.#tip.textContent = label;
    this.#place();
  }

  readonly #place = (): void => {
    if (!this.#near) return;
    const box = boxOf(this.#near);
    const { offsetWidth, offsetHeight } = this.#tip;
    const above = box.top - offsetHeight - GAP;
    const top = above >= 0 ? above : Math.min(box.top + box.height + GAP, innerHeight - offsetHeight - GAP);
    const left = Math.max(GAP, Math.min(box.left, innerWidth - offsetWidth - GAP));
    this.#tip.style.transform = `translate(${left}px,${Math.max(GAP, top)}px)`;
    this.#tip.style.inset = "0 auto auto 0";
  };
}
