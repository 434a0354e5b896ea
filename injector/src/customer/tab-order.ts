/**
 * The order in which Tab goes through a page, its shadow roots and its frames: browsers tell it to no script.
 *
 * HTML, "sequential focus navigation": every shadow root, slot and frame is a scope of its own, which stands where its owner does.
 */

import { inFrame, isElement, type Roots } from "./dom.ts";

/** What can be reached by Tab in `root`, in order. */
export function tabOrder(root: Element, roots: Roots, except: Element): HTMLElement[] {
  return scope([root]);

  function scope(nodes: Iterable<Node>): HTMLElement[] {
    const stops: { order: number; elements: HTMLElement[] }[] = [];
    for (const node of nodes) visit(node, stops);
    // A stable sort: positive indexes first, the others in document order.
    stops.sort((a, b) => a.order - b.order);
    return stops.flatMap(({ elements }) => elements);
  }

  function visit(node: Node, stops: { order: number; elements: HTMLElement[] }[]): void {
    if (!isElement(node) || node === except || node.matches("[inert]")) return;
    const element = node as HTMLElement;
    const shadow = roots.of(element);
    const index = indexOf(element);
    const order = index > 0 ? index : Number.MAX_SAFE_INTEGER;
    const own = index >= 0 && isStop(element) ? [element] : [];
    const frame = inFrame(element)?.documentElement;
    if (frame) {
      if (index >= 0 && isSeen(element)) stops.push({ order, elements: scope([frame]) });
    } else if (shadow) {
      // A host that may not be reached keeps what is in it to itself.
      const hidden = element.hasAttribute("tabindex") && index < 0;
      const self = shadow.delegatesFocus ? [] : own;
      if (!hidden) stops.push({ order, elements: [...self, ...scope(shadow.childNodes)] });
    } else if (element.localName === "slot") {
      const assigned = (element as HTMLSlotElement).assignedNodes();
      stops.push({ order, elements: scope(assigned.length > 0 ? assigned : element.childNodes) });
    } else {
      if (own.length > 0) stops.push({ order, elements: own });
      for (const child of element.childNodes) visit(child, stops);
    }
  }
}

function indexOf(element: HTMLElement): number {
  // Editable elements have none of their own in every browser.
  const edited = element.isContentEditable && !element.parentElement?.isContentEditable;
  return edited && !element.hasAttribute("tabindex") ? 0 : (element.tabIndex ?? -1);
}

function isStop(element: HTMLElement): boolean {
  if (element.matches(":disabled") || !isSeen(element)) return false;
  // Links that lead nowhere have an index all the same.
  if (element.matches(":is(a,area):not([href],[tabindex])")) return false;
  if (!element.matches("input[type=radio]:not(:checked)")) return true;
  // Of a group of radio buttons the one that is chosen, or else the first.
  const { name, form } = element as HTMLInputElement;
  if (!name) return true;
  const group = radios(element as HTMLInputElement, form);
  return !group.some(({ checked }) => checked) && group[0] === element;
}

function isSeen(element: Element): boolean {
  return element.checkVisibility?.({ visibilityProperty: true, checkVisibilityCSS: true }) !== false;
}

/** The group of a radio button. */
export function radios(button: HTMLInputElement, form: HTMLFormElement | null): HTMLInputElement[] {
  const all = (button.getRootNode() as Document).querySelectorAll<HTMLInputElement>("input[type=radio]");
  return [...all].filter((other) => other.name === button.name && other.form === form && !other.disabled);
}
