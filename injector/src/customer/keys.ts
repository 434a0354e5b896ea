/**
 * What keys do that type nothing: scripts can send their events, but browsers act on real ones only.
 */

import { controlKind, holds, parentAcross, type Roots } from "./dom.ts";
import { type Stroke, send } from "./key-events.ts";
import { realmOf } from "./realms.ts";
import { Refused } from "./refused.ts";
import { radios, tabOrder } from "./tab-order.ts";
import type { Typing } from "./typing.ts";

/** One press of an arrow key scrolls so far, in CSS pixels. */
const LINE = 40;
/** One press of Page Down scrolls so much of what is shown. */
const PAGE = 0.875;

/** What keys need of the rest. */
export interface KeyContext {
  readonly roots: Roots;
  readonly typing: Typing;
  readonly host: Element;
  /** The top layer, lowest first. */
  topLayer(): readonly Element[];
}

/** Presses a key on `target`. */
export function pressKey(target: HTMLElement, stroke: Stroke, context: KeyContext): void {
  const { key, modifiers } = stroke;
  const shortcut = modifiers.ctrl || modifiers.alt || modifiers.meta;
  let goes = send(target, "keydown", stroke);
  // Of keys that make a character, and of a line break.
  if (goes && !shortcut && (key.length === 1 || key === "Enter")) goes = send(target, "keypress", stroke);
  const farthest = modifiers.ctrl && /^(Home|End)$/.test(key);
  if (goes && (!shortcut || farthest)) defaultAction(target, key, modifiers.shift, context);
  const up = send(target, "keyup", stroke);
  if (goes && up && !shortcut && key === " " && isButton(target)) target.click();
}

function defaultAction(target: HTMLElement, key: string, shift: boolean, context: KeyContext): void {
  switch (key) {
    case "Enter":
      enter(target, context.typing);
      break;
    case "Escape":
      dismiss(context.topLayer());
      break;
    case "Tab":
      tab(target, shift, context);
      break;
    case " ":
      // What it presses is pressed when the key is let go.
      if (controlKind(target) === null && !target.isContentEditable && !isButton(target))
        scrollBy(target, shift ? "PageUp" : "PageDown");
      break;
    default:
      if (MOVES.test(key) && !arrowInControl(target, key, shift, context)) scrollBy(target, key);
  }
}

const MOVES = /^(Arrow|Home|End|Page)/;

function enter(target: HTMLElement, typing: Typing): void {
  if (target.isContentEditable || target.localName === "textarea") {
    typing.newLine(target);
  } else if (target.localName === "input" && (!isButton(target) || controlKind(target) === "check")) {
    typing.settle();
    submitImplicitly((target as HTMLInputElement).form);
  } else if (target.matches("a[href],area[href]")) {
    const view = realmOf(target);
    target.dispatchEvent(
      new view.PointerEvent("click", { bubbles: true, cancelable: true, composed: true, view }),
    );
  } else if (isButton(target) && controlKind(target) !== "check") {
    target.click();
  }
}

/** HTML, "implicit submission". */
function submitImplicitly(form: HTMLFormElement | null): void {
  if (!form) return;
  const elements = [...form.elements] as HTMLInputElement[];
  const first = elements.find(({ type }) => type === "submit" || type === "image");
  if (first) {
    if (!first.disabled) first.click();
  } else if (
    elements.filter((element) => controlKind(element) === "text" && element.localName === "input").length < 2
  ) {
    form.requestSubmit();
  }
}

/** HTML, "close requests": what is on top closes, if it does so at a key. */
function dismiss(topLayer: readonly Element[]): void {
  const top = topLayer[topLayer.length - 1] as (HTMLDialogElement & { closedBy?: string }) | undefined;
  if (!top) return;
  if (top.localName !== "dialog" || !top.matches(":modal")) {
    if (top.popover && top.popover !== "manual") top.hidePopover();
  } else if (top.closedBy !== "none") {
    if (top.dispatchEvent(new (realmOf(top).Event)("cancel", { cancelable: true }))) top.close();
  }
}

function tab(target: HTMLElement, shift: boolean, context: KeyContext): void {
  const { roots, host, topLayer, typing } = context;
  if (typing.keyboard.held) throw new Refused("customer_typing");
  const modal = topLayer()
    .filter((element) => element.matches(":modal"))
    .pop();
  const stops = tabOrder(modal && holds(modal, target) ? modal : document.documentElement, roots, host);
  // From something that is no stop itself it goes on from where that stands.
  let at = stops.indexOf(target);
  if (at < 0) {
    const after = stops.findIndex(
      (stop) => target.compareDocumentPosition(stop) & Node.DOCUMENT_POSITION_FOLLOWING,
    );
    at = (after < 0 ? stops.length : after) - (shift ? 0 : 1);
  }
  const next = stops[(at + (shift ? -1 : 1) + stops.length) % stops.length];
  // In a text of several lines the caret stays where it was.
  if (next && typing.enter(next) && next.localName === "input") (next as HTMLInputElement).select();
}

function arrowInControl(target: HTMLElement, key: string, shift: boolean, context: KeyContext): boolean {
  const step = key === "ArrowUp" || key === "ArrowLeft" ? -1 : 1;
  const arrow = key.startsWith("Arrow");
  if (target.localName === "select") {
    const select = target as HTMLSelectElement;
    if (select.multiple || !arrow) return true;
    let index = select.selectedIndex + step;
    while (select.options[index]?.disabled) index += step;
    if (select.options[index]) {
      select.selectedIndex = index;
      changed(select);
    }
    return true;
  }
  if (target.isContentEditable) {
    if (!context.typing.keyboard.heldBeside(target)) moveCaret(target, key, shift);
    return true;
  }
  if (target.localName !== "input" && target.localName !== "textarea") return false;
  const input = target as HTMLInputElement;
  if (input.type === "radio") {
    if (arrow) nextRadio(input, step);
    return true;
  }
  if (input.type === "range" || input.type === "number") {
    if (arrow && !input.readOnly) {
      const up = key === "ArrowUp" || (key === "ArrowRight" && input.type === "range");
      const down = key === "ArrowDown" || (key === "ArrowLeft" && input.type === "range");
      if (up) input.stepUp();
      if (down) input.stepDown();
      if (up || down) changed(input);
    }
    return true;
  }
  if (controlKind(input) !== "text") return false;
  if (!context.typing.keyboard.heldBeside(target)) moveCaret(target, key, shift);
  return true;
}

function nextRadio(input: HTMLInputElement, step: number): void {
  const group = radios(input, input.form);
  const next = group[(group.indexOf(input) + step + group.length) % group.length];
  next?.focus();
  next?.click();
}

function moveCaret(target: Element, key: string, shift: boolean): void {
  const [direction, granularity] =
    key === "ArrowLeft"
      ? ["left", "character"]
      : key === "ArrowRight"
        ? ["right", "character"]
        : key === "ArrowUp"
          ? ["backward", "line"]
          : key === "ArrowDown"
            ? ["forward", "line"]
            : key === "Home" || key === "PageUp"
              ? ["backward", "lineboundary"]
              : ["forward", "lineboundary"];
  target.ownerDocument.getSelection()?.modify(shift ? "extend" : "move", direction, granularity);
}

/** Scrolls the innermost that people can scroll that way and that has some way to go. */
function scrollBy(target: HTMLElement, key: string): void {
  const { body, scrollingElement } = target.ownerDocument;
  const across = key === "ArrowLeft" || key === "ArrowRight";
  const hides = (element: Element): string => {
    const { overflowX, overflowY } = realmOf(element).getComputedStyle(element);
    return across ? overflowX : overflowY;
  };
  for (let at: Element | null = target; at; at = parentAcross(at)) {
    const how = hides(at);
    // What hides nothing itself takes from its body whether the window scrolls.
    const root = how === "visible" ? hides(body) : how;
    if (at === scrollingElement ? /hidden|clip/.test(root) : !/auto|scroll/.test(how)) continue;
    const page = at.clientHeight * PAGE;
    const far = at.scrollHeight;
    const distances: Record<string, number> = {
      ArrowUp: -LINE,
      ArrowDown: LINE,
      ArrowLeft: -LINE,
      ArrowRight: LINE,
      PageUp: -page,
      PageDown: page,
      Home: -far,
      End: far,
    };
    const before = at.scrollTop + at.scrollLeft;
    const by = distances[key];
    at.scrollBy({ [across ? "left" : "top"]: by, behavior: "instant" });
    if (at.scrollTop + at.scrollLeft !== before) return;
  }
}

/** Tells the page that a choice was made. */
export function changed(control: Element): void {
  const realm = realmOf(control);
  control.dispatchEvent(new realm.Event("input", { bubbles: true, composed: true }));
  control.dispatchEvent(new realm.Event("change", { bubbles: true }));
}

/** Whether Space presses it; Enter does too unless it is ticked. */
function isButton(element: Element): boolean {
  if (element.localName === "button" || element.localName === "summary") return true;
  return (
    element.localName === "input" &&
    /^(submit|button|reset|image|file|color|checkbox|radio)$/.test((element as HTMLInputElement).type)
  );
}
