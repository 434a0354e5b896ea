/**
 * The agent's pointer as the page meets it: the events of a mouse, in the order and to the elements that a real one sends them.
 *
 * It has a number of its own, so that the page does not take it for the customer's mouse; scripts may capture it like that.
 */

import type { Modifiers } from "../protocol/words.ts";
import { parentAcross } from "./dom.ts";
import { hook } from "./hooks.ts";
import { type Realm, type Realms, realmOf } from "./realms.ts";

/** Far from the numbers that browsers give. */
const POINTER = 7_412;

/** Where the pointer is in the viewport of its target's document, and what is held with it. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly modifiers?: Modifiers;
}

/** A button, by `MouseEvent.button`, and which of several clicks it is for. */
export interface Button {
  readonly button: 0 | 2;
  readonly count: number;
}

/** The agent's pointer in one page. */
export class Pointing {
  #over: Element | null = null;
  #at: Place = { x: 0, y: 0 };
  #buttons = 0;
  #captured: Element | null = null;
  /** The page has prevented `pointerdown`: until the button is let go there are no events of a mouse. */
  #mute = false;

  constructor(realms: Realms) {
    realms.each((realm) => this.#lend(realm));
  }

  /** What it is over. */
  get over(): Element | null {
    return this.#over;
  }

  /** Goes to a place on an element. */
  move(element: Element, at: Place): void {
    const target = this.#captured ?? element;
    this.#cross(target, at, "pointer");
    this.#send("pointermove", target, at, { button: -1 });
    if (!this.#mute) {
      this.#cross(target, at, "mouse");
      this.#send("mousemove", target, at);
    }
    this.#over = target;
    this.#at = at;
  }

  /** Leaves the page. */
  leave(): void {
    this.#cross(null, this.#at, "pointer");
    this.#cross(null, this.#at, "mouse");
    this.#over = null;
  }

  /** Presses a button where the pointer is; false if the page has prevented what that does. */
  down({ button, count }: Button): boolean {
    const target = this.#over;
    if (!target) return false;
    this.#buttons = button === 2 ? 2 : 1;
    this.#mute = !this.#send("pointerdown", target, this.#at, { button });
    return !this.#mute && this.#send("mousedown", target, this.#at, { button, detail: count });
  }

  /** Lets it go. */
  up({ button, count }: Button): void {
    const target = this.#over;
    this.#buttons = 0;
    if (target) {
      this.#send("pointerup", target, this.#at, { button });
      if (!this.#mute) this.#send("mouseup", target, this.#at, { button, detail: count });
    }
    this.#release();
    this.#mute = false;
  }

  /** The pointer is taken away while a button is pressed: the browser drags something with it. */
  cancel(): void {
    if (this.#over) {
      this.#send("pointercancel", this.#over, this.#at, { button: -1 });
      this.#cross(null, this.#at, "pointer");
    }
    this.#release();
    this.#over = null;
    this.#buttons = 0;
    this.#mute = false;
  }

  /** Sends a click, a double click or a call for a menu, shown to `first` before; false if the page has prevented what that does. */
  press(
    type: "click" | "dblclick" | "auxclick" | "contextmenu",
    { button, count }: Button,
    first?: (event: Event) => void,
  ): boolean {
    return !!this.#over && this.#send(type, this.#over, this.#at, { button, detail: count }, first);
  }

  /** Turns the wheel; false if the page has prevented that something scrolls. */
  wheel(at: Place, deltaX: number, deltaY: number): boolean {
    const target = this.#over;
    if (!target) return true;
    const view = realmOf(target);
    const init = { ...this.#init(target, at), deltaX, deltaY, deltaMode: 0 };
    return target.dispatchEvent(new view.WheelEvent("wheel", init));
  }

  /** A drag's event, with what is dragged. */
  drags(
    type: string,
    target: Element,
    at: Place,
    dataTransfer: DataTransfer,
    related?: Element | null,
  ): boolean {
    const view = realmOf(target);
    const init = { ...this.#init(target, at), dataTransfer, relatedTarget: related ?? null };
    if (type === "dragleave" || type === "dragend") init.cancelable = false;
    return target.dispatchEvent(new view.DragEvent(type, init));
  }

  /** Leaves what it was over, and enters what it is over now. */
  #cross(target: Element | null, at: Place, kind: "pointer" | "mouse"): void {
    const before = this.#over?.isConnected ? this.#over : null;
    if (before === target) return;
    const [left, entered] = [chain(before), chain(target)];
    const [was, is] = [new Set(left), new Set(entered)];
    const same = before?.ownerDocument === target?.ownerDocument;
    const [from, to] = same ? [before, target] : [null, null];
    const button = kind === "pointer" ? -1 : 0;
    if (before) this.#send(`${kind}out`, before, at, { button, relatedTarget: to });
    for (const element of left) {
      if (!is.has(element)) this.#send(`${kind}leave`, element, at, { button, relatedTarget: to });
    }
    if (target) this.#send(`${kind}over`, target, at, { button, relatedTarget: from });
    for (const element of entered.reverse()) {
      if (!was.has(element)) this.#send(`${kind}enter`, element, at, { button, relatedTarget: from });
    }
  }

  #send(
    type: string,
    target: Element,
    at: Place,
    more: MouseEventInit = {},
    first?: (event: Event) => void,
  ): boolean {
    const view = realmOf(target);
    const init = { ...this.#init(target, at), ...more };
    if (/enter|leave/.test(type)) init.bubbles = init.composed = init.cancelable = false;
    const pressure = this.#buttons ? 0.5 : 0;
    const pointer = { ...init, pointerId: POINTER, pointerType: "mouse", isPrimary: true, pressure };
    // Since clicks have been events of a pointer.
    const event = /^pointer|^click|auxclick|contextmenu/.test(type)
      ? new view.PointerEvent(type, pointer)
      : new view.MouseEvent(type, init);
    first?.(event);
    return target.dispatchEvent(event);
  }

  #init(target: Element, { x, y, modifiers }: Place): MouseEventInit {
    return {
      view: realmOf(target),
      clientX: x,
      clientY: y,
      screenX: x,
      screenY: y,
      movementX: x - this.#at.x,
      movementY: y - this.#at.y,
      buttons: this.#buttons,
      altKey: modifiers?.alt === true,
      ctrlKey: modifiers?.ctrl === true,
      metaKey: modifiers?.meta === true,
      shiftKey: modifiers?.shift === true,
      bubbles: true,
      cancelable: true,
      composed: true,
    };
  }

  /** Lets the page's scripts capture the pointer, which browsers allow for real ones only. */
  #lend(realm: Realm): void {
    const ours = (work: (element: Element) => unknown) => ({
      around: (call: () => unknown, [id]: readonly unknown[], self: unknown) =>
        id === POINTER ? work(self as Element) : call(),
    });
    const owner = realm.Element.prototype;
    hook(
      owner,
      "setPointerCapture",
      ours((element) => {
        if (this.#buttons) this.#capture(element);
      }),
    );
    hook(
      owner,
      "releasePointerCapture",
      ours((element) => {
        if (this.#captured === element) this.#release();
      }),
    );
    hook(
      owner,
      "hasPointerCapture",
      ours((element) => this.#captured === element),
    );
  }

  #capture(element: Element): void {
    if (this.#captured === element) return;
    this.#release();
    this.#captured = element;
    this.#send("gotpointercapture", element, this.#at, { button: -1, cancelable: false });
  }

  #release(): void {
    const element = this.#captured;
    this.#captured = null;
    if (element?.isConnected)
      this.#send("lostpointercapture", element, this.#at, { button: -1, cancelable: false });
  }
}

/** An element and all that it is in, innermost first. */
function chain(element: Element | null): Element[] {
  const all: Element[] = [];
  for (let at = element; at; at = at.assignedSlot ?? parentAcross(at)) all.push(at);
  return all;
}
