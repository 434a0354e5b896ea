/**
 * What the agent holds and moves: the button pressed for scripts that drag by themselves, things that the browser drags
 * (`draggable`), and text that is being selected.
 *
 * Who holds has to say so: without a word for some seconds everything is let go.
 */

import { closestAcross, isElement } from "./dom.ts";
import type { Place, Pointing } from "./pointing.ts";
import { realmOf } from "./realms.ts";

/** So long something is held without a word of the agent, in milliseconds. */
const PATIENCE = 5000;
/** So far the pointer has to go before the browser drags something, in CSS pixels. */
const SLACK = 3;
const LEFT = { button: 0, count: 1 } as const;

/** What needs a real press to act, and so does nothing after a drag. */
const PRESSED = "a,area,button,input,label,summary,select,option";

/** A thing that is dragged as by the browser. */
interface Carried {
  readonly source: Element;
  readonly data: DataTransfer;
  /** What it is over, and whether that takes it. */
  over: Element | null;
  taken: boolean;
}

interface Held {
  readonly target: Element;
  readonly start: Place;
  /** Whether the page lets the browser do what it does. */
  readonly goes: boolean;
  /** Where the selection begins. */
  readonly anchor: { node: Node; offset: number } | null;
  at: Place;
  carried: Carried | null;
  /** Whether it was looked for something to carry. */
  begun: boolean;
}

/** What is held in one page. */
export class Dragging {
  #held: Held | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Where the agent has selected something. */
  #selected: Selection | null = null;

  constructor(readonly pointing: Pointing) {}

  /** Whether something is held. */
  get holds(): boolean {
    return this.#held !== null;
  }

  /** The pointer is over `target`: presses there. False if the page has prevented what that does. */
  press(target: Element, at: Place, selects: boolean): boolean {
    this.letGo();
    const goes = this.pointing.down(LEFT);
    const anchor = goes && selects ? caretAt(target, at) : null;
    this.#held = { target, start: at, at, goes, anchor, carried: null, begun: false };
    this.keep();
    return goes;
  }

  /** Moves what is held over `target`, to a place in its document. */
  move(target: Element, at: Place): void {
    const held = this.#held;
    if (!held) return;
    this.keep();
    held.at = at;
    if (!held.begun && Math.hypot(at.x - held.start.x, at.y - held.start.y) >= SLACK) {
      held.begun = true;
      held.carried = held.goes ? this.#carry(held.target, held.start) : null;
    }
    if (held.carried) this.#over(held.carried, target, at);
    else {
      this.pointing.move(target, at);
      if (held.anchor) this.#selected = selectTo(held.anchor, target, at) ?? this.#selected;
    }
  }

  /** Does with what is selected what a press does: the second selects a word, the third a paragraph, the first nothing any more. */
  select(target: Element, at: Place, count: number): void {
    if (closestAcross(target, PRESSED)) return;
    if (count === 1) {
      this.#selected?.removeAllRanges();
      this.#selected = null;
      return;
    }
    const place = caretAt(target, at);
    const selection = target.ownerDocument.getSelection();
    if (!place || !selection) return;
    this.#selected = selection;
    const { node, offset } = place;
    // From behind its first letter, or the word before it would be meant.
    selection.collapse(node, Math.min(offset + 1, (node as Text).length));
    const over = (unit: string): void => {
      selection.modify("move", "backward", unit);
      selection.modify("extend", "forward", unit);
    };
    try {
      over(count === 2 ? "word" : "paragraphboundary");
    } catch {
      // Firefox knows no paragraphs.
      over("lineboundary");
    }
  }

  /** Lets go over `target`. */
  drop(target: Element, at: Place): void {
    const held = this.#held;
    if (!held) return;
    this.move(target, at);
    this.#held = null;
    clearTimeout(this.#timer);
    if (held.carried) {
      this.#put(held.carried, at);
      this.pointing.move(target, at);
      return;
    }
    this.pointing.up(LEFT);
    const same = this.pointing.over === held.target && held.target.isConnected;
    if (same && !closestAcross(held.target, PRESSED)) this.pointing.press("click", LEFT);
  }

  /** Lets go, nowhere. */
  letGo(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = null;
    clearTimeout(this.#timer);
    if (held.carried) {
      held.carried.taken = false;
      this.#put(held.carried, held.at);
    } else {
      this.pointing.cancel();
      // Scripts that listen for a mouse know no other end.
      const view = realmOf(held.target);
      const root = held.target.ownerDocument.documentElement;
      root.dispatchEvent(new view.MouseEvent("mouseup", { bubbles: true, cancelable: true, view }));
    }
  }

  /** The agent has said that they still hold it. */
  keep(): void {
    clearTimeout(this.#timer);
    if (this.#held) this.#timer = setTimeout(() => this.letGo(), PATIENCE);
  }

  /** HTML, "drag-and-drop processing model". */
  #carry(target: Element, start: Place): Carried | null {
    const source = closestAcross(target, '[draggable="true"]');
    if (!source) return null;
    const data = dataTransfer(realmOf(source).DataTransfer);
    if (!this.pointing.drags("dragstart", source, start, data)) return null;
    this.pointing.cancel();
    return { source, data, over: null, taken: false };
  }

  #over(carried: Carried, target: Element, at: Place): void {
    const { source, data } = carried;
    if (source.isConnected && !this.pointing.drags("drag", source, at, data)) {
      carried.taken = false;
      return;
    }
    const before = carried.over;
    if (target !== before) {
      carried.over = target;
      data.dropEffect = offered(data);
      this.pointing.drags("dragenter", target, at, data, before);
      if (before?.isConnected) this.pointing.drags("dragleave", before, at, data, target);
    }
    data.dropEffect = offered(data);
    carried.taken = !this.pointing.drags("dragover", target, at, data);
  }

  #put({ source, data, over, taken }: Carried, at: Place): void {
    const still = over?.isConnected ? over : null;
    const takes = taken && data.dropEffect !== "none" && still !== null;
    if (!takes) data.dropEffect = "none";
    if (still) this.pointing.drags(takes ? "drop" : "dragleave", still, at, data);
    if (source.isConnected) this.pointing.drags("dragend", source, at, data);
  }
}

/** What is carried. Browsers let only their own drags have effects: ours has fields of the same names. */
function dataTransfer(kind: typeof DataTransfer): DataTransfer {
  const data = new kind();
  const field = (value: string) => ({ value, writable: true, enumerable: true });
  return Object.defineProperties(data, {
    effectAllowed: field("uninitialized"),
    dropEffect: field("none"),
    setDragImage: { value: () => {} },
  });
}

/** What a drop would do if the page does not say. */
function offered({ effectAllowed }: DataTransfer): DataTransfer["dropEffect"] {
  if (effectAllowed === "none") return "none";
  if (/^(move|linkMove)$/.test(effectAllowed)) return "move";
  return effectAllowed === "link" ? "link" : "copy";
}

/** The place in a text, where the page lets it be selected. */
function caretAt(target: Element, { x, y }: Place): { node: Node; offset: number } | null {
  const document = target.ownerDocument;
  if (document.defaultView?.getComputedStyle(target).userSelect === "none") return null;
  const found = document.caretPositionFromPoint?.(x, y);
  const range = found ? null : document.caretRangeFromPoint?.(x, y);
  const node = found?.offsetNode ?? range?.startContainer;
  const parent = isElement(node) ? node : node?.parentElement;
  if (!node || !parent || node.nodeType !== Node.TEXT_NODE || !target.contains(parent)) return null;
  return { node, offset: found?.offset ?? range?.startOffset ?? 0 };
}

/** Selects as far as a place. Returns in what, if that can be. */
function selectTo(anchor: { node: Node; offset: number }, target: Element, at: Place): Selection | null {
  const end = caretAt(target, at);
  if (!end || !anchor.node.isConnected || anchor.node.ownerDocument !== end.node.ownerDocument) return null;
  const selection = target.ownerDocument.getSelection();
  selection?.setBaseAndExtent(anchor.node, anchor.offset, end.node, end.offset);
  return selection;
}
