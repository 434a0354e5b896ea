/**
 * What the customer does with the pointer, told to the agent: where it is in this document, and where it clicks.
 *
 * Only real gestures of the customer on the page are told, never those on our own elements.
 */

import type { OutOf } from "../depth/main.ts";
import type { FromCustomer, Point } from "../protocol/words.ts";
import { guarded } from "./guarded.ts";
import { apart } from "./known.ts";
import type { Marks } from "./marks.ts";
import type { Realms } from "./realms.ts";
import { until } from "./until.ts";

/** Shortest time between two positions, in milliseconds. */
const PACE = 33;

/** The gestures in one document, and in the frames in it that its script reaches. */
export class Gestures {
  #at: Point | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `send` is called with what the customer does; it flushes the page first where the order matters. `outOf` loads what knows where
   * a frame is. Nothing is told after `over`.
   */
  constructor(
    readonly host: Element,
    realms: Realms,
    readonly send: (message: FromCustomer) => void,
    readonly marks: Marks,
    readonly outOf: () => Promise<OutOf>,
    over: AbortSignal,
  ) {
    realms.listen("pointermove", this.#moved, over);
    realms.listen("pointerdown", this.#pressed, over);
    until(over, document, ["pointerleave"], this.#left);
    over.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  readonly #moved = (event: PointerEvent): void => {
    if (!event.isTrusted || this.#keeps(event)) return;
    this.#place(event, (at) => {
      this.#at = at;
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        guarded(() => this.#at && this.send({ type: "pointer", at: this.#at }));
      }, PACE);
    });
  };

  readonly #pressed = (event: PointerEvent): void => {
    if (!event.isTrusted || event.composedPath().includes(this.host) || this.#keeps(event)) return;
    this.#place(event, (at) => this.send({ type: "clicked", at }));
  };

  readonly #left = (event: PointerEvent): void => {
    if (!event.isTrusted) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    guarded(() => this.send({ type: "pointer_left" }));
  };

  /** What the agent does not see: places of clicks on the keys of a hidden PIN pad would tell the PIN. */
  #keeps(event: Event): boolean {
    const at = event.composedPath()[0] as Node;
    return this.marks.within(at, /hidden/) || apart(at);
  }

  /** Tells where an event is in the outermost viewport that this script reaches: a little later, if it is in a frame. */
  #place({ clientX, clientY, view }: PointerEvent, tell: (at: Point) => void): void {
    const frame = view ?? window;
    if (frame === window) guarded(() => tell({ x: clientX, y: clientY }));
    else
      this.outOf().then(
        (outOf) =>
          guarded(() => {
            const { left, top } = outOf(frame.document, { left: clientX, top: clientY, width: 0, height: 0 });
            tell({ x: left, y: top });
          }),
        () => {},
      );
  }
}
