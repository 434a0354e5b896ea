/**
 * Draws over the mirror what is in no page: the customer's pointer and caret, both sides' clicks, what the browser shows.
 *
 * It lies in the console's document, never in the mirror, and lets every event through.
 */

import type { Point } from "../../protocol/words.ts";
import { words } from "../words.ts";
import { drawNotice, placeOf } from "./notices.ts";
import type { Box } from "./selection.ts";
import type { Notice, Zoomed } from "./view-frame.ts";

export type Who = "customer" | "agent";

/** How long a circle is seen, in milliseconds. */
const CIRCLE = 900;
/** How high the name of a part of the page is, in pixels. */
const NAME = 26;
/** How many circles are on screen at once at most. */
const CIRCLES = 12;

export class Overlay {
  readonly #root: HTMLElement;
  readonly #pointer: HTMLElement;
  #scale = 1;
  #at: Point | null = null;
  #zoomed: Zoomed | null = null;

  /** `root` covers the mirror; `pointer` is the customer's, in it. */
  constructor(root: HTMLElement, pointer: HTMLElement) {
    this.#root = root;
    this.#pointer = pointer;
    this.#draw();
  }

  /** How many pixels of the console one pixel of the customer's viewport has. */
  set scale(scale: number) {
    this.#scale = scale;
    this.#draw();
    this.#drawZoomed();
  }

  /** The customer's pointer, or that there is none on the page. */
  set pointer(at: Point | null) {
    this.#at = at;
    this.#draw();
  }

  /** Somebody clicked here. */
  flash(at: Point, who: Who): void {
    const circle = this.#root.ownerDocument.createElement("div");
    circle.className = `click click-${who}`;
    circle.style.left = `${at.x * this.#scale}px`;
    circle.style.top = `${at.y * this.#scale}px`;
    const shown = this.#root.getElementsByClassName("click");
    if (shown.length >= CIRCLES) shown[0]?.remove();
    this.#root.append(circle);
    setTimeout(() => circle.remove(), CIRCLE);
  }

  /** Draws the caret, a box without width, or what is selected. */
  caret(boxes: Box[]): void {
    for (const old of this.#root.querySelectorAll(".caret, .selected")) old.remove();
    for (const { x, y, width, height } of boxes) {
      const box = this.#root.ownerDocument.createElement("div");
      box.className = width > 0 ? "selected" : "caret";
      if (width === 0) box.dataset.name = words.customer.pointer;
      box.style.left = `${x * this.#scale}px`;
      box.style.top = `${y * this.#scale}px`;
      box.style.height = `${height * this.#scale}px`;
      if (width > 0) box.style.width = `${width * this.#scale}px`;
      this.#root.append(box);
    }
  }

  /** Draws which part of the page is on the customer's screen; all of it: nothing. */
  zoomed(part: Zoomed | null): void {
    this.#zoomed = part;
    this.#drawZoomed();
  }

  /** Draws what the customer's browser shows, under the control that it belongs to. */
  notice(notice: Notice | null, at: Element | null): void {
    this.#root.querySelector(".notice")?.remove();
    if (!notice) return;
    const box = drawNotice(this.#root.ownerDocument, notice, at);
    if (at) {
      const { x, y } = placeOf(at);
      box.style.left = `${x * this.#scale}px`;
      box.style.top = `${y * this.#scale}px`;
    }
    this.#root.append(box);
  }

  #drawZoomed(): void {
    this.#root.querySelector(".zoomed")?.remove();
    if (!this.#zoomed) return;
    const { x, y, width, height } = this.#zoomed;
    const box = this.#root.ownerDocument.createElement("div");
    // Its name goes above it, where there is room.
    box.className = y * this.#scale < NAME ? "zoomed zoomed-high" : "zoomed";
    box.dataset.name = words.customer.zoomed;
    const lengths = { left: x, top: y, width, height };
    for (const [name, length] of Object.entries(lengths))
      box.style.setProperty(name, `${length * this.#scale}px`);
    // Under everything else that is drawn.
    this.#root.prepend(box);
  }

  #draw(): void {
    this.#pointer.hidden = this.#at === null;
    if (!this.#at) return;
    const { x, y } = this.#at;
    this.#pointer.style.transform = `translate(${x * this.#scale}px, ${y * this.#scale}px)`;
  }
}
