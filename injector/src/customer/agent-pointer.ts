/**
 * The agent's pointer and clicks, drawn over the page.
 */

import type { Point } from "../protocol/words.ts";
import { make } from "./elements.ts";
import type { Stage } from "./stage.ts";

const ARROW = "M3 2l15 8-6.6 1.7L8 18z";

/** The agent's pointer in one session. */
export class AgentPointer {
  readonly #agent = make("div", "agent", "", { "aria-hidden": "true" });
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
    this.#agent.append(svg, this.#name);
    this.#agent.hidden = true;
    stage.box.append(this.#agent);
  }

  /** Takes it away. */
  stop(): void {
    this.#agent.remove();
  }

  /** Draws the agent's pointer, or takes it away. */
  show(at: Point | null): void {
    this.#agent.hidden = !at;
    if (at) this.#agent.style.transform = `translate(${at.x}px,${at.y}px)`;
  }

  /** The name beside the agent's pointer. */
  name(name: string): void {
    this.#name.textContent = name;
  }

  /** Draws a circle where the agent clicks. */
  click(at: Point): void {
    const circle = make("div", "click", "", { "aria-hidden": "true" });
    circle.style.left = `${at.x}px`;
    circle.style.top = `${at.y}px`;
    circle.onanimationend = () => circle.remove();
    this.stage.box.append(circle);
  }
}
