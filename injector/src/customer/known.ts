/**
 * Which nodes of the page the server knows, by which number, and where it has them.
 *
 * Numbers rise in the order in which nodes are reported and are never used again in an epoch; 1 is the document.
 */

import { above, isElement, type Roots } from "./dom.ts";
import type { Frames } from "./frames.ts";

/** A node as the server has it. */
export interface Known {
  readonly id: number;
  readonly node: Node;
  /** Where the server has it; null for the document only. */
  parent: Known | null;
}

/** Deepest element that is reported; the server's tree is bounded a little above. */
export const DEEPEST = 500;

/** The numbers of one epoch. */
export class KnownNodes {
  readonly #byNode = new WeakMap<Node, Known>();
  readonly #byId = new Map<number, Known>();
  #next = 1;

  /** Knows the document only. */
  constructor(
    readonly document: Document,
    readonly roots: Roots,
    readonly frames: Frames,
  ) {
    this.add(document, null);
  }

  /** How many nodes there are. */
  get size(): number {
    return this.#byId.size;
  }

  /** The number that the next node will get. */
  get next(): number {
    return this.#next;
  }

  /** Numbers a node. */
  add(node: Node, parent: Known | null): Known {
    const known = { id: this.#next++, node, parent };
    this.#byNode.set(node, known);
    this.#byId.set(known.id, known);
    return known;
  }

  /** The entry of a node that the server knows. */
  of(node: Node | null): Known | undefined {
    return node ? this.#byNode.get(node) : undefined;
  }

  /** The number of a node, or 0. */
  id(node: Node | null): number {
    return this.of(node)?.id ?? 0;
  }

  /** The node of a number. */
  node(id: number): Node | undefined {
    return this.#byId.get(id)?.node;
  }

  /** Every node that the server knows. */
  *nodes(): Generator<Node> {
    for (const { node } of this.#byId.values()) yield node;
  }

  /** Forgets one node. */
  forget(known: Known): void {
    this.#byNode.delete(known.node);
    this.#byId.delete(known.id);
  }

  /** Forgets a node and everything that is in it now; calls `each` for the elements and documents. */
  forgetTree(top: Node, each: (node: Element | Document) => void): void {
    const rest: Node[] = [top];
    for (let node = rest.pop(); node; node = rest.pop()) {
      const known = this.#byNode.get(node);
      if (known) this.forget(known);
      if (isElement(node)) {
        const root = this.roots.of(node) ?? this.frames.of(node);
        if (root) rest.push(root);
        each(node);
      } else if (node.nodeType === Node.DOCUMENT_NODE) each(node as Document);
      for (let child = node.firstChild; child; child = child.nextSibling) rest.push(child);
    }
  }

  /** The number of the first child of a node that the server has in it already, or 0. */
  first(node: Node, known: Known): number {
    const { firstChild } = node;
    if (!firstChild) return 0;
    const first = this.of(firstChild);
    return first?.parent === known ? first.id : this.after(firstChild, known);
  }

  /** The number of the next sibling that the server has in `parent` already, or 0. */
  after(node: Node, parent: Known): number {
    for (let next = node.nextSibling; next; next = next.nextSibling) {
      const known = this.of(next);
      if (known?.parent === parent) return known.id;
    }
    return 0;
  }
}

/** How deep a node is in the composed tree; the document is at 0. */
export function depthOf(node: Node): number {
  let depth = 0;
  for (let at = above(node); at; at = above(at)) depth++;
  return depth;
}

/** Whether a node is no part of the shared page: our own element, and what the site marked so. */
export function ignored(node: Node): boolean {
  return (
    isElement(node) && (node.localName === "tandem-widget" || node.getAttribute("data-tandem") === "ignore")
  );
}

/** Whether what is inside a node is part of the shared page. */
export function opaque(node: Node, depth: number): boolean {
  if (depth >= DEEPEST) return true;
  if (!isElement(node)) return false;
  const name = node.localName;
  // What is written between the tags of a frame is never shown.
  return name === "script" || name === "noscript" || name === "template" || name === "iframe";
}
