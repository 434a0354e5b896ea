/**
 * What keys do that type nothing: scripts can send their events, but browsers act on real ones only.
 */

import type { Key } from "../protocol/words.ts";
import { closestAcross, controlKind, holds, isElement, type Roots } from "./dom.ts";
import { realmOf } from "./realms.ts";
import { press, type Typing } from "./typing.ts";

/** One press of an arrow key scrolls so far, in CSS pixels. */
const LINE = 40;

/** What keys need of the rest. */
export interface KeyContext {
  readonly roots: Roots;
  readonly typing: Typing;
  readonly host: Element;
  /** The top layer, lowest first. */
  topLayer(): readonly Element[];
}

/** Presses `key` on `target`. */
export function pressKey(target: HTMLElement, key: Key, shift: boolean, context: KeyContext): void {
  let goes = press(target, "keydown", key, shift);
  if (goes && key === "Enter") goes = press(target, "keypress", key, shift);
  if (goes) defaultAction(target, key, shift, context);
  press(target, "keyup", key, shift);
}

function defaultAction(target: HTMLElement, key: Key, shift: boolean, context: KeyContext): void {
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
    default:
      if (!arrowInControl(target, key, shift)) scrollBy(target, key);
  }
}

function enter(target: HTMLElement, typing: Typing): void {
  if (target.isContentEditable || target.localName === "textarea") {
    typing.newLine(target);
  } else if (target.localName === "input" && !isButton(target)) {
    typing.settle();
    submitImplicitly((target as HTMLInputElement).form);
  } else if (isButton(target) || target.matches("a[href],summary")) {
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

function dismiss(topLayer: readonly Element[]): void {
  const top = topLayer[topLayer.length - 1];
  if (!top) return;
  if (top.localName !== "dialog" || !top.matches(":modal")) {
    (top as HTMLElement).hidePopover();
  } else if (top.dispatchEvent(new (realmOf(top).Event)("cancel", { cancelable: true }))) {
    (top as HTMLDialogElement).close();
  }
}

function tab(target: HTMLElement, shift: boolean, { roots, host, topLayer, typing }: KeyContext): void {
  const modal = topLayer()
    .filter((element) => element.matches(":modal"))
    .pop();
  const stops: HTMLElement[] = [];
  const { documentElement } = target.ownerDocument;
  collect(modal && holds(modal, target) ? modal : documentElement, roots, host, stops);
  // A stable sort: positive indexes first, the others in document order.
  const order = ({ tabIndex }: HTMLElement): number => tabIndex || Number.MAX_SAFE_INTEGER;
  stops.sort((a, b) => order(a) - order(b));
  const at = stops.indexOf(target);
  const next = stops[(at + (shift ? -1 : 1) + stops.length) % stops.length];
  if (next && typing.enter(next) && controlKind(next) === "text") (next as HTMLInputElement).select?.();
}

function collect(root: Node, roots: Roots, host: Element, stops: HTMLElement[]): void {
  for (let child = root.firstChild; child; child = child.nextSibling) {
    if (!isElement(child) || child === host || child.matches("[inert]")) continue;
    const element = child as HTMLElement;
    const radio = element.matches("input[type=radio]:not(:checked)");
    if (
      element.tabIndex >= 0 &&
      !radio &&
      !element.matches(":disabled") &&
      element.checkVisibility?.() !== false
    ) {
      if (element.localName !== "iframe") stops.push(element);
    }
    const shadow = roots.of(element);
    if (shadow) collect(shadow, roots, host, stops);
    collect(element, roots, host, stops);
  }
}

function arrowInControl(target: HTMLElement, key: Key, shift: boolean): boolean {
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
    moveCaret(target, key, shift);
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
  moveCaret(target, key, shift);
  return true;
}

function nextRadio(input: HTMLInputElement, step: number): void {
  const scope = input.form ?? (input.getRootNode() as Document | ShadowRoot);
  const group = [...scope.querySelectorAll<HTMLInputElement>("input[type=radio]")].filter(
    (other) => other.name === input.name && other.form === input.form && !other.disabled,
  );
  const next = group[(group.indexOf(input) + step + group.length) % group.length];
  next?.focus();
  next?.click();
}

function moveCaret(target: Element, key: Key, shift: boolean): void {
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

function scrollBy(target: HTMLElement, key: Key): void {
  const view = realmOf(target);
  const page = view.innerHeight * 0.9;
  const far = view.document.documentElement.scrollHeight;
  const distances: Partial<Record<Key, [number, number]>> = {
    ArrowUp: [0, -LINE],
    ArrowDown: [0, LINE],
    ArrowLeft: [-LINE, 0],
    ArrowRight: [LINE, 0],
    PageUp: [0, -page],
    PageDown: [0, page],
    Home: [0, -far],
    End: [0, far],
  };
  const [left, top] = distances[key] ?? [0, 0];
  for (let at: Element | null = target; at; at = at.parentElement) {
    const before = at.scrollTop + at.scrollLeft;
    at.scrollBy({ left, top, behavior: "instant" });
    if (at.scrollTop + at.scrollLeft !== before) return;
  }
  view.scrollBy({ left, top, behavior: "instant" });
}

/** Tells the page that a choice was made. */
export function changed(control: Element): void {
  const realm = realmOf(control);
  control.dispatchEvent(new realm.Event("input", { bubbles: true, composed: true }));
  control.dispatchEvent(new realm.Event("change", { bubbles: true }));
}

function isButton(element: Element): boolean {
  if (element.localName === "button") return true;
  return (
    element.localName === "input" &&
    ["submit", "button", "reset", "image", "file", "color"].includes((element as HTMLInputElement).type)
  );
}

/** The link that a click on `element` would follow. */
export function linkOf(element: Element): HTMLAnchorElement | null {
  return closestAcross(element, "a[href],area[href]") as HTMLAnchorElement | null;
}
