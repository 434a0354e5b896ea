/**
 * The agent's pointer over the customer's page, and where the agent clicks. The agent's view has none of it.
 */

import { make } from "../customer/elements.ts";
import type { Stage } from "../customer/stage.ts";
import type { Point } from "../protocol/words.ts";

const ARROW = "M3 2l15 8-6.6 1.7L8 18z";

/** The hand of one session's agent. */
export class Hand {
  readonly #arrow = make("div", "agent", "", { "aria-hidden": "true" });
  readonly #name = make("span");

  constructor(readonly stage: Stage) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 20 20");
    for (const [name, value] of Object.entries({
      d: ARROW,
      fill: "#c92a2a",
      stroke: "#fff",
      "stroke-width": "1.5",
    })) {
      path.setAttribute(name, value);
    }
    svg.append(path);
    this.#arrow.append(svg, this.#name);
    this.#arrow.hidden = true;
    stage.box.append(this.#arrow);
  }

  /** Draws the pointer with a name beside it, or takes it away. */
  show(at: Point | null, name: string): void {
    this.#name.textContent = name;
    this.#arrow.hidden = !at;
    if (at) this.#arrow.style.transform = `translate(${at.x}px,${at.y}px)`;
  }

  /** Draws a circle where the agent clicks. */
  click(at: Point): void {
    const circle = make("div", "click", "", { "aria-hidden": "true" });
    circle.style.left = `${at.x}px`;
    circle.style.top = `${at.y}px`;
    circle.onanimationend = () => circle.remove();
    this.stage.box.append(circle);
  }

  /** Takes it away for good. */
  stop(): void {
    this.#arrow.remove();
  }
}
