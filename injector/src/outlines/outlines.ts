/**
 * Shows the customer all that the agent does not see, as outlines over the page, while the switch is on.
 *
 * It draws over the page and never changes it: a site can not tell, and the agent does not see it.
 */

import { type Box, boxOf } from "../customer/dom.ts";
import { make } from "../customer/elements.ts";
import { guarded } from "../customer/guarded.ts";
import type { Stage } from "../customer/stage.ts";

/** Most outlines at a time: only what is in the window counts. */
const MOST = 500;

/** The outlines of one session. */
export class Outlines {
  readonly #layer = make("div", "outlines", "", { "aria-hidden": "true" });
  #frame = 0;
  #on = false;

  /** `hidden` lists the elements that the agent does not see. */
  constructor(
    readonly stage: Stage,
    readonly hidden: () => Iterable<Element>,
  ) {
    this.#layer.hidden = true;
    stage.box.prepend(this.#layer);
  }

  /** Shows them, or not. */
  show(on: boolean): void {
    this.#on = on;
    this.#layer.hidden = !on;
    cancelAnimationFrame(this.#frame);
    if (on) this.#follow();
    else this.#layer.replaceChildren();
  }

  /** Takes them away for good. */
  stop(): void {
    this.show(false);
    this.#layer.remove();
  }

  /** The page may move in every frame, in ways that no event tells. */
  readonly #follow = (): void => {
    guarded(() => this.#draw());
    if (this.#on) this.#frame = requestAnimationFrame(this.#follow);
  };

  #draw(): void {
    const boxes: Box[] = [];
    for (const element of this.hidden()) {
      const box = boxOf(element);
      const [right, bottom] = [box.left + box.width, box.top + box.height];
      const seen = bottom > 0 && right > 0 && box.top < innerHeight && box.left < innerWidth;
      if (seen && box.width > 0 && box.height > 0 && boxes.push(box) >= MOST) break;
    }
    while (this.#layer.childElementCount > boxes.length) this.#layer.lastElementChild?.remove();
    while (this.#layer.childElementCount < boxes.length) this.#layer.append(make("div", "outline"));
    for (const [at, box] of boxes.entries()) {
      const { style } = this.#layer.children[at] as HTMLElement;
      style.transform = `translate(${box.left}px,${box.top}px)`;
      style.width = `${box.width}px`;
      style.height = `${box.height}px`;
    }
  }
}
