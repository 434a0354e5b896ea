/**
 * Where the page and the scrollers in it are scrolled to.
 *
 * Events say where to look. What is told of scrolled nodes is looked at again after changes: a node that moves, or is shown in
 * another way, may be somewhere else without an event.
 */

import type { Writer } from "../wire/writer.ts";
import { isElement } from "./dom.ts";
import type { KnownNodes } from "./known.ts";

/** Nodes whose scroll position is read in one task. */
const SURVEY = 2000;
/** Scrolled nodes that are looked at again; of more, those that were scrolled last. */
const MOST = 200;
const UNSCROLLED = "0,0";

/** The scrollers of one epoch. */
export class Scrolls {
  readonly #marked = new Set<Node>();
  /** What was told of nodes that were scrolled, or may have been before they were hidden, by their numbers. */
  readonly #told = new Map<number, string>();

  constructor(readonly known: KnownNodes) {}

  /** A node may have been scrolled. */
  mark(target: Node): void {
    this.#marked.add(target);
  }

  /** Looks which of the next nodes from this number on are scrolled; the number to go on with, or 0. May force a layout. */
  survey(from: number): number {
    const end = Math.min(from + SURVEY, this.known.next);
    for (let id = from; id < end; id++) {
      const node = this.known.node(id);
      if (!node || !mayScroll(node) || node === node.ownerDocument?.scrollingElement) continue;
      const now = `${offsetOf(node)}`;
      if (now !== (this.#told.get(id) ?? UNSCROLLED)) this.mark(node);
      // What is not shown is back where it was once it is.
      else if (!(node as Element).clientHeight && this.#told.size < MOST) this.#told.set(id, now);
    }
    return end < this.known.next ? end : 0;
  }

  /** Whether there is something to tell. */
  get any(): boolean {
    return this.#marked.size > 0;
  }

  /** Looks whether what was told of scrolled nodes still holds. Forces a layout where there are any. */
  moved(): boolean {
    for (const [id, told] of this.#told) {
      const node = this.known.node(id);
      if (!node) this.#told.delete(id);
      else if (`${offsetOf(node)}` !== told) this.mark(node);
    }
    return this.any;
  }

  /** Tells what changed. */
  write(out: Writer): void {
    for (const target of this.#marked) {
      const document = target.ownerDocument ?? (target as Document);
      const node = target === document.scrollingElement ? document : target;
      const id = this.known.id(node);
      if (!id) continue;
      const offset = offsetOf(node);
      // It may have lost its box since, and be back there once it has one.
      this.#told.delete(id);
      this.#told.set(id, `${offset}`);
      const [oldest] = this.#told.keys();
      if (oldest && this.#told.size > MOST) this.#told.delete(oldest);
      out.byte(8);
      out.uint(id);
      for (const length of offset) out.int(length);
    }
    this.#marked.clear();
  }
}

/** Whether a node can be scrolled at all. To ask for its style takes half the time of asking where it is. */
function mayScroll(node: Node): boolean {
  if (!isElement(node)) return node.nodeType === 9;
  // In a frame that is not shown, nothing has a style.
  if (!/visible|clip/.test(getComputedStyle(node).overflowX)) return true;
  // What is typed there scrolls by itself, whatever the style says.
  return node.localName === "input" || node.localName === "textarea";
}

/** How far a node is scrolled, in whole pixels. */
function offsetOf(node: Node): [x: number, y: number] {
  const { scrollLeft, scrollTop } = node as Element;
  const view = node.nodeType === 9 ? (node as Document).defaultView : null;
  return [Math.round(view?.scrollX ?? scrollLeft ?? 0), Math.round(view?.scrollY ?? scrollTop ?? 0)];
}
