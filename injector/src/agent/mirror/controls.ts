/**
 * Puts the state of form controls, scroll positions, the focus and the top layer into the mirror.
 *
 * All of it is state that attributes do not carry. Setting it never moves the agent's own focus out of
 * the console and never lets the mirror scroll by itself.
 */

import type { NodeId } from "../../protocol/words.ts";
import { between } from "../../text/change.ts";
import { OWN } from "./attributes.ts";
import { showText } from "./field-text.ts";
import { isHidden } from "./marks.ts";
import { setValidity } from "./states.ts";
import type { TopLayerEntry, ViewControl } from "./view-frame.ts";

/** Types of `input` whose value is their attribute. */
const WORDLESS = /^(button|submit|reset|image|hidden|checkbox|radio)$/;

/** Gives a control the state that the customer's has. */
export function setControl(element: Element, state: ViewControl): void {
  if (state.validity !== undefined) setValidity(element, state.validity);
  switch (element.localName) {
    case "input": {
      const input = element as HTMLInputElement;
      // What it was told while it was a field to type in is not what a button says.
      if (state.value !== undefined && !WORDLESS.test(input.type)) setValue(input, state.value);
      if (state.checked !== undefined) {
        input.checked = state.checked;
        input.indeterminate = state.indeterminate === true;
      }
      return;
    }
    case "textarea":
      if (state.value !== undefined) setValue(element as HTMLTextAreaElement, state.value);
      return;
    case "select": {
      if (!state.selected) return;
      const selected = new Set(state.selected);
      const select = element as HTMLSelectElement;
      if (selected.size === 0) select.selectedIndex = -1;
      else
        Array.from(select.options).forEach((option, index) => {
          option.selected = selected.has(index);
        });
      return;
    }
    default:
  }
}

/** The state of a control of which the page has said nothing: what its attributes say. */
export function defaultState(element: Element): ViewControl {
  switch (element.localName) {
    case "input":
    case "textarea":
      return { value: (element as HTMLInputElement).defaultValue };
    case "select": {
      const select = element as HTMLSelectElement;
      const chosen = Array.from(select.options, (option, index) => (option.defaultSelected ? index : -1));
      const selected = chosen.filter((index) => index >= 0);
      return { selected: selected.length === 0 && !select.multiple ? [0] : selected };
    }
    default:
      return {};
  }
}

function setValue(field: HTMLInputElement | HTMLTextAreaElement, value: string): void {
  if (field.type === "file") {
    setFiles(field as HTMLInputElement, value);
    return;
  }
  if (field.value === value) return;
  if (isActive(field)) showText(field, value, between(field.value, value));
  else field.value = value;
}

/** Files of these names, with nothing in them. */
function setFiles(field: HTMLInputElement, names: string): void {
  const files = new DataTransfer();
  for (const name of names ? names.split("/") : []) files.items.add(new File([], name));
  if (Array.from(field.files ?? [], ({ name }) => name).join("/") !== names) field.files = files.files;
}

function isActive(element: Element): boolean {
  return (element.getRootNode() as Document | ShadowRoot).activeElement === element;
}

/** Replaces only what differs, so that carets and selections elsewhere in the text stay. */
export function setText(node: CharacterData, data: string): void {
  const old = node.data;
  let start = 0;
  const shorter = Math.min(old.length, data.length);
  while (start < shorter && old[start] === data[start]) start += 1;
  let end = 0;
  while (end < shorter - start && old[old.length - 1 - end] === data[data.length - 1 - end]) end += 1;
  node.replaceData(start, old.length - start - end, data.slice(start, data.length - end));
}

/** How many scrollers are remembered; the oldest are forgotten. */
const SCROLLERS = 2000;

/** Where the mirror's scrollers are to be. */
export class Scrolls {
  readonly #wanted = new Map<NodeId, { x: number; y: number }>();
  /** Where the customer's are, of those that the agent has moved here. */
  readonly #told = new Map<NodeId, { x: number; y: number }>();

  /** The scroller moved in the customer's page. */
  tell(id: NodeId, x: number, y: number): void {
    this.#told.delete(id);
    this.#want(id, x, y);
  }

  /** The agent has moved it here. */
  want(id: NodeId, x: number, y: number): void {
    if (!this.#told.has(id)) this.#told.set(id, this.wanted(id));
    this.#want(id, x, y);
  }

  /** The agent's last move was refused: it is to be where the customer's is. */
  refused(id: NodeId): void {
    const told = this.#told.get(id);
    this.#told.delete(id);
    if (told) this.#want(id, told.x, told.y);
  }

  #want(id: NodeId, x: number, y: number): void {
    this.#wanted.delete(id);
    this.#wanted.set(id, { x, y });
    const oldest = this.#wanted.keys().next();
    if (this.#wanted.size <= SCROLLERS || oldest.done) return;
    this.#wanted.delete(oldest.value);
    this.#told.delete(oldest.value);
  }

  /** It stays where it was last said to be, whatever the browser does. */
  hold(id: NodeId): void {
    const { x, y } = this.wanted(id);
    this.want(id, x, y);
  }

  wanted(id: NodeId): { x: number; y: number } {
    return this.#wanted.get(id) ?? { x: 0, y: 0 };
  }

  /** Scrolls there now. Further than the content reaches is as far as it goes. */
  put(id: NodeId, node: Node): void {
    const scroller = scrollerOf(node);
    if (!scroller) return;
    const { x, y } = this.wanted(id);
    if (Math.abs(scroller.scrollLeft - x) < 1 && Math.abs(scroller.scrollTop - y) < 1) return;
    scroller.scrollTo({ left: x, top: y, behavior: "instant" });
  }

  /** The ids of all that were ever scrolled. */
  get ids(): NodeId[] {
    return [...this.#wanted.keys()];
  }

  /** A new document. */
  clear(): void {
    this.#wanted.clear();
    this.#told.clear();
  }
}

/** The element that scrolls for a node: the document's is its scrolling element. */
export function scrollerOf(node: Node): Element | null {
  if (node.nodeType === Node.DOCUMENT_NODE) {
    const document = node as Document;
    return document.scrollingElement ?? document.documentElement;
  }
  return node.nodeType === Node.ELEMENT_NODE ? (node as Element) : null;
}

/** Keeps the mirror's dialogs and popovers open in the customer's order. */
export class TopLayer {
  #open: { entry: TopLayerEntry; element: HTMLElement }[] = [];

  get isEmpty(): boolean {
    return this.#open.length === 0;
  }

  /** Whether it is in there by itself. */
  holds(element: Element): boolean {
    return this.#open.some((one) => one.element === element);
  }

  /** Opens and closes what differs, and what an insertion or a move has closed. */
  show(entries: { entry: TopLayerEntry; element: HTMLElement }[]): void {
    let same = 0;
    while (same < entries.length && this.#isOpen(same, entries[same])) same += 1;
    keepingFocus(() => {
      for (const { element, entry } of this.#open.slice(same).reverse()) close(element, entry.kind);
      for (const { element, entry } of entries.slice(same)) open(element, entry.kind);
    });
    this.#open = entries;
  }

  /** After changes of the tree. */
  restore(): void {
    const connected = this.#open.filter(({ element }) => element.isConnected);
    this.show(connected);
  }

  #isOpen(index: number, wanted: { entry: TopLayerEntry; element: HTMLElement } | undefined): boolean {
    const now = this.#open[index];
    if (!now || !wanted || now.element !== wanted.element || now.entry.kind !== wanted.entry.kind)
      return false;
    if (now.entry.kind === "modal") return now.element.matches(":modal");
    // An agent's browser may not know popovers: what the customer has open then stands where it is.
    return !("popover" in now.element) || now.element.matches(":popover-open");
  }
}

function open(element: HTMLElement, kind: TopLayerEntry["kind"]): void {
  try {
    if (kind === "modal") {
      // Without the attribute, which the page may have taken away, it is modal and unseen.
      const unseen = !element.hasAttribute("open") && !isHidden(element);
      element.removeAttribute("open");
      (element as HTMLDialogElement).showModal();
      if (unseen) element.removeAttribute("open");
    } else {
      if (kind === "fullscreen") element.setAttribute(OWN.fullscreen, "");
      element.setAttribute("popover", "manual");
      element.showPopover();
    }
  } catch {
    // Not a dialog, or not in the document any more: it is then shown where it stands.
  }
}

function close(element: HTMLElement, kind: TopLayerEntry["kind"]): void {
  try {
    if (kind === "modal") {
      // `close` does nothing without the attribute, which the page may have taken already; or it has left it.
      const stays = element.hasAttribute("open");
      element.setAttribute("open", "");
      (element as HTMLDialogElement).close();
      element.toggleAttribute("open", stays);
    } else {
      element.hidePopover();
      if (kind === "fullscreen") {
        element.removeAttribute(OWN.fullscreen);
        element.removeAttribute("popover");
      }
    }
  } catch {
    // Closed already.
  }
}

/** A modal dialog takes the focus when it opens; the agent may be typing in the console. */
function keepingFocus(change: () => void): void {
  const before = document.activeElement;
  change();
  if (before instanceof HTMLElement && document.activeElement !== before)
    before.focus({ preventScroll: true });
}
