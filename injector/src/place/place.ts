/**
 * Moves the panel: where the customer puts it, by dragging, by keys or from corner to corner; out of the way of what they
 * type into, and above an on-screen keyboard.
 */

import { type Box, boxOf, focused, outOf, type Roots } from "../customer/dom.ts";
import { guarded } from "../customer/guarded.ts";
import type { Stage } from "../customer/stage.ts";
import { remember } from "../customer/storage.ts";
import type { Panel } from "../customer/widget/panel.ts";
import { GAP, PLACE, type Share, stand } from "../customer/widget/stand.ts";
import style from "./place.inline.css";

/** What the part hands over. */
export type MakePlace = (panel: Panel, page: PlacePage, at: Share) => Place;

/** What it needs of the page. */
export interface PlacePage {
  readonly stage: Stage;
  readonly roots: Roots;
}

/** The part of the window in which it can stand, in pixels. */
interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** How far a key moves it, and how far a press has to move to drag it, in pixels. */
const STEP = 24;
const DRAG = 4;
/** How long it glides, in milliseconds. */
const GLIDE = 160;
const KEYS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const NOT_TYPED = /^(button|checkbox|color|file|image|radio|range|reset|submit)$/;

/** The place of one panel. */
export class Place {
  /** What was pressed, and where the panel was then. */
  #down: { readonly event: PointerEvent; readonly box: DOMRect } | null = null;
  #dragged = false;

  constructor(
    readonly panel: Panel,
    readonly page: PlacePage,
    private at: Share,
  ) {
    page.stage.dress(style);
    this.settle(true);
  }

  /** What the customer does to the panel, which is a real gesture; perhaps a little later. */
  take(event: Event): void {
    switch (event.type) {
      case "pointerdown":
        this.#press(event as PointerEvent);
        break;
      case "click":
        this.#turn();
        break;
      case "keydown":
        this.#key((event as KeyboardEvent).key);
        break;
      default:
        this.#drag(event as PointerEvent);
    }
  }

  /** Puts the panel where it belongs now. */
  settle(glide: boolean): void {
    const { box } = this.panel;
    const before = box.getBoundingClientRect();
    const typed = typedInto(this.page.roots);
    box.removeAttribute("data-tiny");
    if (typed && this.#best(typed).over > 0) box.setAttribute("data-tiny", "");
    standIn(box, typed ? this.#best(typed).at : this.at, seen());
    if (!glide || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const now = box.getBoundingClientRect();
    const [x, y] = [before.left - now.left, before.top - now.top];
    if (Math.hypot(x, y) < 1) return;
    box.animate([{ transform: `translate(${x}px,${y}px)` }, { transform: "none" }], {
      duration: GLIDE,
      easing: "ease-out",
    });
  }

  /** The nearest of the places in which the panel lies over least of `box`, and how much of it that is. */
  #best(box: Box): { readonly at: Share; readonly over: number } {
    const [x, y] = [Math.round(this.at.x), Math.round(this.at.y)];
    const places = [this.at, { x, y }, { x, y: 1 - y }, { x: 1 - x, y }, { x: 1 - x, y: 1 - y }];
    const { left, top, width, height, free } = this.#room();
    const shared = (start: number, length: number, other: number, extent: number): number =>
      Math.max(0, Math.min(start + length, other + extent + GAP) - Math.max(start, other - GAP));
    const judged = places.map((at) => ({
      at,
      over:
        shared(left + at.x * free.x, width, box.left, box.width) *
        shared(top + at.y * free.y, height, box.top, box.height),
    }));
    const least = Math.min(...judged.map(({ over }) => over));
    return judged.find(({ over }) => over === least) ?? { at: this.at, over: least };
  }

  /** Where the panel can begin, how large it is, and how far it can go. */
  #room(): Box & { readonly free: { x: number; y: number } } {
    const { offsetWidth: width, offsetHeight: height } = this.panel.box;
    const area = seen() ?? { left: 0, top: 0, width: innerWidth, height: innerHeight };
    return {
      left: area.left + GAP,
      top: area.top + GAP,
      width,
      height,
      free: {
        x: Math.max(0, area.width - width - 2 * GAP),
        y: Math.max(0, area.height - height - 2 * GAP),
      },
    };
  }

  #move(x: number, y: number, glide: boolean): void {
    const within = (share: number): number => Math.min(1, Math.max(0, share || 0));
    this.at = { x: within(x), y: within(y) };
    this.settle(glide);
    remember("localStorage", PLACE, `${this.at.x} ${this.at.y}`);
  }

  /** To the next corner, clockwise; unless it was a drag that has ended with a click. */
  #turn(): void {
    if (this.#dragged) return;
    const [x, y] = [Math.round(this.at.x), Math.round(this.at.y)];
    this.#move(y ? 0 : 1, x ? 1 : 0, true);
  }

  #key(key: string): void {
    const way = KEYS[key];
    this.#dragged = false;
    if (!way) return;
    const { free } = this.#room();
    this.#move(this.at.x + (way[0] * STEP) / free.x, this.at.y + (way[1] * STEP) / free.y, true);
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#dragged = false;
    this.#down = { event, box: this.panel.box.getBoundingClientRect() };
  }

  #drag(event: PointerEvent): void {
    const down = this.#down;
    if (event.pointerId !== down?.event.pointerId) return;
    const [x, y] = [event.clientX - down.event.clientX, event.clientY - down.event.clientY];
    const ends = event.type !== "pointermove";
    if (ends) this.#down = null;
    if (event.type === "pointercancel" || (!this.#dragged && Math.hypot(x, y) < DRAG)) return;
    this.#dragged = true;
    // Over frames of the page the events would be theirs.
    if (!ends) guarded(() => this.panel.box.setPointerCapture(event.pointerId));
    const { left, top, free } = this.#room();
    this.#move((down.box.left + x - left) / free.x, (down.box.top + y - top) / free.y, false);
  }
}

/** Puts the panel there, in a part of the window. */
function standIn(box: HTMLElement, at: Share, area: Area | null): void {
  stand(box, at);
  if (!area) return;
  const along = (start: number, length: number, share: number): string =>
    `${start + GAP + (length - 2 * GAP) * share}px`;
  box.style.left = along(area.left, area.width, at.x);
  box.style.top = along(area.top, area.height, at.y);
}

/** What of the window can be seen, where an on-screen keyboard or a magnified page leaves less than all. */
function seen(): Area | null {
  const view = window.visualViewport;
  if (!view || (view.offsetTop === 0 && view.offsetLeft === 0 && Math.abs(view.height - innerHeight) < 20)) {
    return null;
  }
  return { left: view.offsetLeft, top: view.offsetTop, width: view.width, height: view.height };
}

/** The box of what the customer types into, or in an editor the line that they are in. */
function typedInto(roots: Roots): Box | null {
  const element = focused(roots) as HTMLElement | null;
  if (!element) return null;
  const { localName } = element;
  if (element.isContentEditable) {
    const document = element.ownerDocument;
    const selection = document.getSelection();
    const caret = selection?.rangeCount ? selection.getRangeAt(0).getBoundingClientRect() : null;
    if (caret?.height) {
      const { left, top, width, height } = caret;
      return outOf(document, { left, top, width, height });
    }
    return boxOf(element);
  }
  const field = localName === "input" && !NOT_TYPED.test((element as HTMLInputElement).type);
  return field || localName === "textarea" || localName === "select" ? boxOf(element) : null;
}
