/**
 * What the agent does with the mouse in Write mode: points, clicks, drags, turns the wheel, calls for a menu.
 *
 * Pointing and dragging send only the newest place, one at a time: the next goes when the last was answered.
 */

import type { Action, Modifiers, Point, Refusal } from "../../protocol/words.ts";
import { scrollerOf } from "./controls.ts";
import { above, toOutermost } from "./frames.ts";
import { clickTarget, modifiersOf } from "./intents.ts";
import { refusalOf } from "./marks.ts";
import type { Mirror } from "./mirror.ts";

/** Least time between two places, in milliseconds: about 30 a second. */
const PAUSE = 33;
/** Further than this with the button pressed is a drag, in CSS pixels. */
const SLACK = 5;
/** What is held is said again so often, or the customer's browser lets go, in milliseconds. */
const STILL_HELD = 1500;
/** A wheel that rests so long is turned anew, in milliseconds. */
const TURNING = 250;
/** A line and a page of a wheel that does not count in pixels. */
const UNITS = [1, 16, 400];
/** So often something is aimed anew that the customer's page has moved meanwhile. */
const TRIES = 3;
/** What a click presses even if the pointer moved a little. */
const PRESSED = "a[href],button,input,label,summary,[role=button]";

/** A turn of the wheel; `waits`: it scrolls when the page has made nothing of it. */
type Turn = { over: Element; dx: number; dy: number; waits: boolean };

/** What pointing needs of its surroundings. */
export type PointingHost = {
  act(action: Action): number;
  refused(reason: Refusal): void;
};

/** The button is pressed; perhaps a drag. `within`: where one may lead, the document that tells of what was pressed. */
type Press = {
  node: Element;
  within: Document;
  spot: { node: number; x: number; y: number };
  from: Point;
  modifiers: Modifiers;
  dragging: boolean;
};

/** What was let go there and is unanswered. */
type Dropped = { seq: number; event: MouseEvent; within: Document; document: Document; tries: number };

export class Pointing {
  readonly #mirror: Mirror;
  readonly #host: PointingHost;
  #press: Press | null = null;
  /** The click that ends a drag is none. */
  #dragged = false;
  #pointing = false;
  #next: Action | null = null;
  /** Where the pointer came to rest, and how often it may be asked anew what is there. */
  #rest: { event: PointerEvent; document: Document; tries: number } | null = null;
  #dropped: Dropped | null = null;
  #sent = Number.NEGATIVE_INFINITY;
  #waiting: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #holding: ReturnType<typeof setInterval> | undefined;
  /** What was turned and not sent. */
  #turned: { dx: number; dy: number; event: WheelEvent } | null = null;
  /** Turns of the wheel that are unanswered. */
  readonly #turns = new Map<number, Turn>();
  /** Where the page makes something of its own of the wheel, and where it is known not to. */
  readonly #turners = new WeakSet<Element>();
  readonly #scrolling = new WeakSet<Element>();
  /** Who the wheel is for as long as it keeps turning. */
  #wheel: { by: "page" | "scroll" | "unknown"; at: number } = { by: "unknown", at: Number.NEGATIVE_INFINITY };

  constructor(mirror: Mirror, host: PointingHost) {
    this.#mirror = mirror;
    this.#host = host;
  }

  /** Whether something is being dragged. */
  get isDragging(): boolean {
    return this.#press?.dragging === true;
  }

  /** The mode, the document or the connection is another. */
  clear(): void {
    this.#end();
    this.#pointing = false;
    this.#next = null;
    this.#rest = null;
    this.#dropped = null;
    this.#waiting = null;
    this.#turned = null;
    this.#turns.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** An action was answered. Returns whether it was one of ours that nobody needs to hear of. */
  answered(seq: number, refused: Refusal | null): boolean {
    const turned = this.#turns.get(seq);
    if (turned) {
      this.#turns.delete(seq);
      this.#learn(turned, refused === "prevented");
      return true;
    }
    const dropped = this.#dropped;
    if (seq === dropped?.seq) {
      this.#dropped = null;
      return refused === "covered" && this.#dropAgain(dropped);
    }
    if (seq !== this.#waiting) return false;
    this.#waiting = null;
    // The mirror shows by now what has come to lie there.
    if (refused === "covered" && this.#rest && !this.#next && this.#rest.tries-- > 0)
      this.#move(this.#rest.event, hitAt(this.#rest.document, this.#rest.event));
    this.#pump();
    return true;
  }

  /** The pointer is at `target`, or nowhere. */
  moved(event: PointerEvent, target: Element | null): void {
    // Until what was dropped lies somewhere, it is still held.
    if (this.#dropped) return;
    this.#rest = target && { event, document: target.ownerDocument, tries: TRIES };
    this.#move(event, target);
  }

  #move(event: PointerEvent, target: Element | null): void {
    const press = this.#press;
    if (press) {
      if (!(event.buttons & 1)) {
        this.letGo();
        return;
      }
      const at = placeOf(event);
      if (!press.dragging && Math.hypot(at.x - press.from.x, at.y - press.from.y) >= SLACK)
        this.#begin(press);
      if (press.dragging) this.#queue(this.#carry("drag", press.within, target, event));
      return;
    }
    const spot = event.buttons === 0 ? this.#spot(target, { x: event.clientX, y: event.clientY }) : null;
    if (spot) {
      this.#pointing = true;
      this.#queue({ kind: "hover", ...spot });
    } else this.left();
  }

  /** The pointer is not over the page any more. */
  left(): void {
    this.#rest = null;
    // What holds something is held on to wherever it is.
    if (!this.#pointing || this.isDragging) return;
    this.#pointing = false;
    this.#queue({ kind: "leave" });
  }

  /** The button was pressed on something that is no field. */
  pressed(event: MouseEvent, target: Element | null): void {
    this.#dragged = false;
    this.#press = null;
    this.#dropped = null;
    if (!target || onScrollBar(event, target)) return;
    const spot = this.#aim(target, { x: event.clientX, y: event.clientY });
    if (!spot) return;
    this.#press = {
      node: target,
      within: this.#mirror.teller(target.ownerDocument),
      spot,
      from: placeOf(event),
      modifiers: modifiersOf(event),
      dragging: false,
    };
  }

  /** The button was let go. */
  released(event: MouseEvent, target: Element | null): void {
    const press = this.#press;
    this.#press = null;
    this.#rest = null;
    if (!press?.dragging) return;
    clearInterval(this.#holding);
    this.#dragged = !(target && press.node.closest(PRESSED)?.contains(target));
    const { within } = press;
    const drop = this.#carry("drop", within, target, event);
    this.#next = null;
    const seq = this.#host.act(drop ?? { kind: "let_go" });
    if (drop && target) this.#dropped = { seq, event, within, document: target.ownerDocument, tries: TRIES };
    const reason = refusalOf(target) ?? (target && !this.#inside(within, target) ? "not_possible" : null);
    if (!drop && reason) this.#host.refused(reason);
  }

  /** Drops it on what is there now. False: that can not be, and nothing is held any more. */
  #dropAgain(dropped: Dropped): boolean {
    const { event, within, document } = dropped;
    const tries = dropped.tries - 1;
    const drop = this.#carry("drop", within, hitAt(document, event), event);
    const again = tries >= 0 && drop;
    const seq = this.#host.act(again ? drop : { kind: "let_go" });
    this.#dropped = again ? { seq, event, within, document, tries } : null;
    return !!again;
  }

  /** What is held is let go, nowhere. */
  letGo(): void {
    const dragging = this.isDragging;
    this.#end();
    if (!dragging) return;
    this.#dragged = true;
    this.#next = null;
    this.#host.act({ kind: "let_go" });
  }

  /** Whether a click that the browser tells of is the end of a drag. */
  get wasDrag(): boolean {
    const was = this.#dragged;
    this.#dragged = false;
    return was;
  }

  /** A click was sent: it says where the pointer is. */
  clicked(): void {
    this.#next = null;
  }

  /** Calls for the page's menu. */
  menu(event: MouseEvent, target: Element | null): void {
    const spot = this.#aim(target, { x: event.clientX, y: event.clientY });
    if (spot) this.#host.act({ kind: "menu", ...spot });
  }

  /** Turns the wheel. Returns whether nothing may scroll here before the page has answered. */
  wheel(event: WheelEvent, target: Element | null): boolean {
    if (!target) return false;
    const unit = UNITS[event.deltaMode] ?? 1;
    const { dx, dy } = this.#turned ?? { dx: 0, dy: 0 };
    const now = performance.now();
    if (now - this.#wheel.at > TURNING) this.#wheel.by = this.#wheelOver(target);
    this.#wheel.at = now;
    const first = this.#turned === null;
    this.#turned = { dx: dx + event.deltaX * unit, dy: dy + event.deltaY * unit, event };
    if (first) requestAnimationFrame(() => this.#turn(target));
    return event.ctrlKey || this.#wheel.by !== "scroll";
  }

  #wheelOver(target: Element): "page" | "scroll" | "unknown" {
    for (let at: Node | null = target; at; at = above(at)) {
      if (this.#turners.has(at as Element)) return "page";
    }
    return this.#scrolling.has(target) ? "scroll" : "unknown";
  }

  #turn(target: Element): void {
    const turned = this.#turned;
    this.#turned = null;
    if (!turned || !target.isConnected) return;
    const { event, dx, dy } = turned;
    const spot = this.#spot(target, { x: event.clientX, y: event.clientY });
    const turn = { over: target, dx, dy, waits: this.#wheel.by !== "scroll" && !event.ctrlKey };
    if (!spot) {
      this.#learn(turn, false);
      return;
    }
    const seq = this.#host.act({ kind: "wheel", ...spot, dx, dy, modifiers: modifiersOf(event) });
    this.#turns.set(seq, turn);
  }

  /** Whether the page takes the wheel over `element` for itself: there, and around it up to what would have scrolled. */
  #learn({ over, dx, dy, waits }: Turn, takes: boolean): void {
    this.#wheel.by = takes ? "page" : "scroll";
    if (takes) this.#scrolling.delete(over);
    else this.#scrolling.add(over);
    if (waits && !takes) scrollAround(over, dx, dy);
    for (let at: Node | null = over; at; at = above(at)) {
      if (at.nodeType !== Node.ELEMENT_NODE) continue;
      const { scrollHeight, clientHeight, localName } = at as Element;
      if (!takes) this.#turners.delete(at as Element);
      else if (localName === "body" || localName === "html" || scrollHeight > clientHeight + 1) return;
      else this.#turners.add(at as Element);
    }
  }

  #begin(press: Press): void {
    press.dragging = true;
    this.#next = null;
    this.#host.act({ kind: "press", ...press.spot, modifiers: press.modifiers });
    clearInterval(this.#holding);
    this.#holding = setInterval(() => {
      if (this.#last && this.#waiting === null) this.#queue(this.#last);
    }, STILL_HELD);
  }

  #last: Action | null = null;

  #end(): void {
    this.#press = null;
    this.#last = null;
    clearInterval(this.#holding);
  }

  /** A place during a drag; nothing where the agent may not be. */
  #carry(kind: "drag" | "drop", within: Document, target: Element | null, event: MouseEvent): Action | null {
    const over = target && this.#inside(within, target);
    const node = this.#mirror.idOf(over);
    if (node === null || refusalOf(over)) return null;
    return { kind, node, at: placeOf(event, within), modifiers: modifiersOf(event) };
  }

  /** What a drag is over: of a frame that tells of itself, who holds something outside of it meets the frame only. */
  #inside(within: Document, target: Element): Element | null {
    for (let at: Element | null = target; at; ) {
      const teller = this.#mirror.teller(at.ownerDocument);
      if (teller === within) return at;
      at = above(teller) as Element | null;
    }
    return null;
  }

  /** The innermost element at or around `target` that the agent may use, and the place in it. */
  #spot(target: Element | null, at: Point): Press["spot"] | null {
    let element: Element | null = target;
    while (element && refusalOf(element)) element = element.parentElement;
    return this.#aim(element, at);
  }

  /** `at`: in the viewport of the target's document. */
  #aim(target: Element | null, at: Point): Press["spot"] | null {
    const known = this.#mirror.idOf(target);
    const aim = known === null ? null : clickTarget(this.#mirror.find(known) ?? null, at);
    const node = aim && this.#mirror.idOf(aim.element);
    return aim && node !== null ? { node, x: aim.x, y: aim.y } : null;
  }

  #queue(action: Action | null): void {
    if (!action) return;
    if (action.kind === "drag") this.#last = action;
    this.#next = action;
    this.#pump();
  }

  #pump(): void {
    if (!this.#next || this.#waiting !== null || this.#timer !== undefined) return;
    const wait = this.#sent + PAUSE - performance.now();
    if (wait > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#pump();
      }, wait);
      return;
    }
    this.#sent = performance.now();
    const action = this.#next;
    this.#next = null;
    this.#waiting = this.#host.act(action);
  }
}

/** Scrolls what a wheel over `element` scrolls. */
function scrollAround(element: Element, left: number, top: number): void {
  for (let at: Node | null = element; at; at = above(at)) {
    const scroller = scrollerOf(at);
    if (!scroller) continue;
    const whole = at.nodeType === Node.DOCUMENT_NODE;
    const { overflowX, overflowY } = getComputedStyle(scroller);
    if (
      !whole &&
      (scroller === scrollerOf(element.ownerDocument) || !/auto|scroll/.test(overflowX + overflowY))
    )
      continue;
    const before = scroller.scrollLeft + scroller.scrollTop;
    scroller.scrollBy({ left, top, behavior: "instant" });
    if (scroller.scrollLeft + scroller.scrollTop !== before) return;
  }
}

/** The innermost element where an event was. */
function hitAt(document: Document, { clientX, clientY }: MouseEvent): Element | null {
  let found: Element | null = null;
  for (let root: DocumentOrShadowRoot | null = document; root; root = found?.shadowRoot ?? null) {
    const hit: Element | null = root.elementFromPoint(clientX, clientY);
    if (!hit || hit === found) break;
    found = hit;
  }
  return found;
}

/** Where an event is in the viewport of a document around it, or of the page. */
function placeOf(event: MouseEvent, around?: Document): Point {
  const document = (event.target as Node | null)?.ownerDocument ?? (event.target as Document);
  const place = toOutermost(document, { x: event.clientX, y: event.clientY }, around);
  return { x: Math.round(place.x * 10) / 10, y: Math.round(place.y * 10) / 10 };
}

/** The browser itself moves scroll bars. */
function onScrollBar(event: MouseEvent, target: Element): boolean {
  const { clientWidth, clientHeight, clientLeft, clientTop } = target;
  if (clientWidth === 0 && clientHeight === 0) return false;
  const { overflowX, overflowY } = getComputedStyle(target);
  if (!/auto|scroll/.test(overflowX + overflowY)) return false;
  const box = target.getBoundingClientRect();
  return (
    event.clientX - box.left - clientLeft >= clientWidth ||
    event.clientY - box.top - clientTop >= clientHeight
  );
}
