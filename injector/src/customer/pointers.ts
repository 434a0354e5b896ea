/**
 * Both pointers: the customer's is told to the agent, the agent's is drawn over the page.
 *
 * Only real gestures of the customer on the page are told, never those on our own elements.
 */

import type { FromCustomer, Point } from "../protocol/words.ts";
import { outOf } from "./dom.ts";
import { make } from "./elements.ts";
import { guarded } from "./guarded.ts";
import type { Realms } from "./realms.ts";
import type { Stage } from "./stage.ts";

/** Shortest time between two positions, in milliseconds. */
const PACE = 33;
const ARROW = "M3 2l15 8-6.6 1.7L8 18z";

/** The pointers of one session. */
export class Pointers {
  readonly #agent = make("div", "agent", "", { "aria-hidden": "true" });
  readonly #name = make("span");
  readonly #ends: Array<() => void>;
  #at: Point | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `send` is called with what the customer does; it flushes the page first where the order matters. `tells` says of
   * what must not be told, because its place alone would say what the agent does not see.
   */
  constructor(
    readonly stage: Stage,
    realms: Realms,
    readonly send: (message: FromCustomer) => void,
    readonly tells: (event: Event) => boolean,
  ) {
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
    this.#ends = [
      realms.listen("pointermove", this.#moved, true),
      realms.listen("pointerdown", this.#pressed, true),
    ];
    document.addEventListener("pointerleave", this.#left);
  }

  /** Takes everything away. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#agent.remove();
    for (const end of this.#ends) end();
    document.removeEventListener("pointerleave", this.#left);
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

  readonly #moved = (event: PointerEvent): void => {
    if (!event.isTrusted || this.tells(event)) return;
    this.#at = placeOf(event);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      guarded(() => this.#at && this.send({ type: "pointer", at: this.#at }));
    }, PACE);
  };

  readonly #pressed = (event: PointerEvent): void => {
    if (!event.isTrusted || event.composedPath().includes(this.stage.host) || this.tells(event)) return;
    guarded(() => this.send({ type: "clicked", at: placeOf(event) }));
  };

  readonly #left = (event: PointerEvent): void => {
    if (!event.isTrusted) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    guarded(() => this.send({ type: "pointer_left" }));
  };
}

/** Where an event is in the page's own viewport. */
function placeOf({ clientX, clientY, view }: PointerEvent): Point {
  const { left, top } = outOf((view ?? window).document, {
    left: clientX,
    top: clientY,
    width: 0,
    height: 0,
  });
  return { x: left, y: top };
}
