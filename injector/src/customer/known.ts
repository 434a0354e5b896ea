/**
 * Which nodes of the page the server knows, by which number, and where it has them.
 *
 * Numbers rise in the order in which nodes are reported and are never used again in an epoch; 1 is the document.
 */

import { above, isElement, type Roots } from "./dom.ts";
import type { Frames } from "./frames.ts";
import { GONE, STAYS } from "./order.ts";

/** A node as the server has it. */
export interface Known {
  readonly id: number;
  readonly node: Node;
  /** Where the server has it; null for the document only. */
  parent: Known | null;
  /** The number of its first child, if it was told with any, or 0 of what can have none; and the last number of what was told in it. */
  first: number;
  last: number;
  /** Whether it stays where it is there; while that is decided, which child of its parent it is. */
  at: number;
}

/** Deepest element that is reported; the server's tree is bounded a little above. */
export const DEEPEST = 500;
/** Our own element. */
export const OURS = "tandem-widget";
/** Elements of which nothing is told that is in them. */
const OPAQUE = new Set(["script", "noscript", "template", "iframe", "object", "selectedcontent"]);
/** Entries in one block. */
const BLOCK = 1024;

/** Returns a node as the object that a constructor makes, so that a field of ours can be put on it. */
class Carrier {
  constructor(node: object) {
    // biome-ignore lint/correctness/noConstructorReturn: that is what it is for
    return node as Carrier;
  }
}

/** Keeps the entry of a node on the node, where no script can see it: much faster than a map beside it. */
class Tag extends Carrier {
  /** Entries of nodes that let nothing onto them, because a script has sealed them. */
  static readonly #sealed = new WeakMap<object, Known>();
  static #anySealed = false;
  #known: Known | undefined;

  private constructor(node: Node, known: Known) {
    super(node);
    this.#known = known;
  }

  static put(node: object, known: Known): void {
    if (#known in node) {
      node.#known = known;
      return;
    }
    try {
      new Tag(node as Node, known);
    } catch {
      Tag.#sealed.set(node, known);
      Tag.#anySealed = true;
    }
  }

  static remove({ node }: Known): void {
    if (#known in node) node.#known = undefined;
    else Tag.#sealed.delete(node);
  }

  static of(node: object): Known | undefined {
    if (#known in node) return node.#known;
    return Tag.#anySealed ? Tag.#sealed.get(node) : undefined;
  }
}

/** Entries by number, in blocks that go once they are empty: numbers only rise. */
class Entries {
  readonly #blocks = new Map<number, { live: number; readonly all: Array<Known | undefined> }>();
  #newest = { live: 0, all: Array<Known | undefined>(BLOCK) };
  size = 0;

  /** Adds the next number. */
  add(known: Known): void {
    if (known.id % BLOCK === 0 || this.size === 0) {
      if (this.#newest.live === 0) this.#blocks.delete(Math.floor(known.id / BLOCK) - 1);
      this.#newest = { live: 0, all: Array(BLOCK) };
      this.#blocks.set(Math.floor(known.id / BLOCK), this.#newest);
    }
    this.#newest.all[known.id % BLOCK] = known;
    this.#newest.live++;
    this.size++;
  }

  get(id: number): Known | undefined {
    return this.#blocks.get(Math.floor(id / BLOCK))?.all[id % BLOCK];
  }

  delete(id: number): void {
    const block = this.#blocks.get(Math.floor(id / BLOCK));
    if (!block?.all[id % BLOCK]) return;
    block.all[id % BLOCK] = undefined;
    this.size--;
    if (--block.live === 0 && block !== this.#newest) this.#blocks.delete(Math.floor(id / BLOCK));
  }

  *values(): Generator<Known> {
    for (const { all } of this.#blocks.values()) for (const known of all) if (known) yield known;
  }
}

/** The numbers of one epoch. */
export class KnownNodes {
  /** The document. */
  readonly top: Known;
  readonly #entries = new Entries();
  /** What only the server has, and has last in its parent. */
  readonly #tails = new Map<Known, Known>();
  /** Children of parents that were not told with all of them, or in which something has changed since. */
  readonly #children = new Map<Known, Known[]>();
  #next: number;

  /** Knows the document only, by the number `first`. */
  constructor(
    readonly document: Document,
    readonly roots: Roots,
    readonly frames: Frames,
    first: number,
  ) {
    this.#next = first;
    this.top = this.add(document, null);
  }

  /** How many nodes there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** The number that the next node will get. */
  get next(): number {
    return this.#next;
  }

  /** Numbers a node. */
  add(node: Node, parent: Known | null): Known {
    const id = this.#next++;
    const known: Known = { id, node, parent, first: id + 1, last: id, at: STAYS };
    Tag.put(node, known);
    this.#entries.add(known);
    return known;
  }

  /**
   * The children that the server has in a parent, in their order, and some that it had; without a shadow root, the document of a frame
   * and what only the server has. What was told at once is numbered in order, so that nothing need be kept of it until
   * something changes there.
   */
  children(parent: Known): Known[] {
    let list = this.#children.get(parent);
    if (!list) {
      list = [];
      for (let id = parent.first; id <= parent.last; ) {
        const child = this.#entries.get(id) as Known;
        list.push(child);
        id = child.last + 1;
      }
      this.#children.set(parent, list);
    }
    return list;
  }

  /** The server has these children in a parent, in this order; if none are given, those that the page has there. */
  arrange(parent: Known, children = this.#there(parent)): void {
    this.#children.set(parent, children);
  }

  #there(parent: Known): Known[] {
    const list: Known[] = [];
    for (let node = parent.node.firstChild; node; node = node.nextSibling) {
      const known = this.of(node);
      if (known?.parent === parent) list.push(known);
    }
    return list;
  }

  /** The entry of a node that the server knows. */
  of(node: Node | null): Known | undefined {
    return node ? Tag.of(node) : undefined;
  }

  /** The number of a node, or 0. */
  id(node: Node | null): number {
    return this.of(node)?.id ?? 0;
  }

  /** The node of a number. */
  node(id: number): Node | undefined {
    return this.#entries.get(id)?.node;
  }

  /** Every node that the server knows. */
  *nodes(): Generator<Node> {
    for (const { node } of this.#entries.values()) yield node;
  }

  /** Numbers a node that only the server has: it stays the last in its parent. */
  addTail(node: Node, parent: Known): Known {
    const known = this.add(node, parent);
    this.#tails.set(parent, known);
    return known;
  }

  /** Whether an entry is still valid. */
  has(known: Known): boolean {
    return known.at !== GONE;
  }

  /**
   * What the server should have as the first child; a shadow root, or the document of a frame, before all others. A host whose root it
   * does not have is added to those that are `missed`.
   */
  inside(known: Known, missed?: Element[]): Known | null {
    const { node, first } = known;
    // Half of all nodes: nothing more is asked of them.
    if (!first) return null;
    const inner = this.roots.of(node as Element) ?? this.frames.of(node as Element);
    const entry = inner && this.of(inner);
    if (inner && !entry && inner.nodeType === 11) missed?.push(node as Element);
    return entry ?? this.#from(node.firstChild, known);
  }

  /** What the server should have as the next sibling. */
  following(known: Known): Known | null {
    const { node, parent, first } = known;
    if (!parent || this.#tail(parent) === known) return null;
    // After a shadow root or document come the children of what it is in.
    const next = node.nextSibling ?? (!first || node.parentNode ? null : parent.node.firstChild);
    return this.#from(next, parent);
  }

  #from(node: Node | null, parent: Known): Known | null {
    for (let at = node; at; at = at.nextSibling) {
      const known = this.of(at);
      if (known?.parent === parent) return known;
    }
    return this.#tail(parent) ?? null;
  }

  #tail(parent: Known): Known | undefined {
    // Hardly a page has any, and this is asked for every node.
    return this.#tails.size > 0 ? this.#tails.get(parent) : undefined;
  }

  /** Forgets one node. */
  forget(known: Known): void {
    if (known.parent && this.#tail(known.parent) === known) this.#tails.delete(known.parent);
    // The numbers of what is in its parent have a hole from now on.
    if (known.parent && this.has(known.parent)) this.children(known.parent);
    this.#children.delete(known);
    this.#entries.delete(known.id);
    Tag.remove(known);
    known.at = GONE;
  }

  /** Forgets everything: nothing of ours stays on the page's nodes. */
  clear(): void {
    for (const known of this.#entries.values()) Tag.remove(known);
  }

  /** Forgets a node and everything that is in it now; calls `each` for what was known of it, outer nodes first. */
  forgetTree(top: Node, each: (known: Known) => void): void {
    const rest: Node[] = [top];
    for (let node = rest.pop(); node; node = rest.pop()) {
      const known = this.of(node);
      if (isElement(node)) {
        const root = this.roots.of(node) ?? this.frames.of(node);
        if (root) rest.push(root);
      }
      for (let child = node.firstChild; child; child = child.nextSibling) rest.push(child);
      if (!known) continue;
      this.forget(known);
      each(known);
    }
  }

  /** The number of what is to come after a new last child of `parent`, or 0. */
  tail(parent: Known): number {
    return this.#tail(parent)?.id ?? 0;
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
  return isElement(node) && (node.localName === OURS || isKeptOut(node));
}

/** Whether a node is in what the site marked as no part of the shared page. */
export function apart(node: Node): boolean {
  for (let at: Node | null = node; at; at = above(at)) if (isElement(at) && isKeptOut(at)) return true;
  return false;
}

function isKeptOut(element: Element): boolean {
  return element.getAttribute("data-tandem") === "ignore";
}

/** Whether what is inside a node is part of the shared page. */
export function opaque(node: Node, depth: number): boolean {
  if (depth >= DEEPEST) return true;
  if (!isElement(node)) return false;
  // What is written between the tags of a frame is not shown.
  return OPAQUE.has(node.localName);
}
