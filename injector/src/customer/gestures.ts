/**
 * What the customer does with the pointer, told to the agent: where it is in this document, and where it clicks.
 *
 * Only real gestures of the customer on the page are told, never those on our own elements.
 */

import type { FromCustomer, Point } from "../protocol/words.ts";
import { outOf } from "./dom.ts";
import { guarded } from "./guarded.ts";
import type { Realms } from "./realms.ts";

/** Shortest time between two positions, in milliseconds. */
const PACE = 33;

/** The gestures in one document, and in the frames in it that its script reaches. */
export class Gestures {
  readonly #ends: Array<() => void>;
  #at: Point | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `send` is called with what the customer does; it flushes the page first where the order matters. `keeps` says of
   * what must not be told, because its place alone would say what the agent does not see.
   */
  constructor(
    readonly host: Element,
    realms: Realms,
    readonly send: (message: FromCustomer) => void,
    readonly keeps: (event: Event) => boolean,
  ) {
    this.#ends = [
      realms.listen("pointermove", this.#moved, true),
      realms.listen("pointerdown", this.#pressed, true),
    ];
    document.addEventListener("pointerleave", this.#left);
  }

  /** Tells nothing more. */
  stop(): void {
    clearTimeout(this.#timer);
    for (const end of this.#ends) end();
    document.removeEventListener("pointerleave", this.#left);
  }

  readonly #moved = (event: PointerEvent): void => {
    if (!event.isTrusted || this.keeps(event)) return;
    this.#at = placeOf(event);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      guarded(() => this.#at && this.send({ type: "pointer", at: this.#at }));
    }, PACE);
  };

  readonly #pressed = (event: PointerEvent): void => {
    if (!event.isTrusted || event.composedPath().includes(this.host) || this.keeps(event)) return;
    guarded(() => this.send({ type: "clicked", at: placeOf(event) }));
  };

  readonly #left = (event: PointerEvent): void => {
    if (!event.isTrusted) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    guarded(() => this.send({ type: "pointer_left" }));
  };
}

/** Where an event is in the outermost viewport that this script reaches. */
function placeOf({ clientX, clientY, view }: PointerEvent): Point {
  const { left, top } = outOf((view ?? window).document, {
    left: clientX,
    top: clientY,
    width: 0,
    height: 0,
  });
  return { x: left, y: top };
}
