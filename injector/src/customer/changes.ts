/**
 * What may have changed in the DOM since the last flush, and how that is told.
 *
 * Mutation records are only marks; what is told is the state at the time of the flush, parents before what they adopt,
 * siblings from right to left, so that every node that an operation names is where the server has it.
 */

import type { Writer } from "../wire/writer.ts";
import { DEFINED, isDefined } from "./custom.ts";
import { isElement } from "./dom.ts";
import { DEEPEST, depthOf, ignored, type Known, opaque } from "./known.ts";
import { type SubtreeContext, writeSubtree } from "./subtree.ts";
import { SECRET, takesText } from "./withhold.ts";

/** Marks before those that say the same are merged: changes may have to wait for long. */
const MARKS = 50_000;
const PREFIXES: Readonly<Record<string, string>> = {
  "http://www.w3.org/1999/xlink": "xlink:",
  "http://www.w3.org/XML/1998/namespace": "xml:",
};

/** What changes need of the recorder besides writing subtrees. */
export interface ChangesContext extends SubtreeContext {
  /** Told of each element and document that the server forgets. */
  gone(node: Element | Document): void;
  /** Told of each changed attribute of a known element. */
  attributeChanged(element: Element, name: string): void;
}

/** The marks of one epoch. */
export class Changes {
  readonly #added = new Marks();
  readonly #removed = new Marks();
  /** By the name of the attribute: there are few names, and often many elements. */
  readonly #attributes = new Map<string, Set<Element>>();
  readonly #texts = new Set<CharacterData>();
  /** What the server is still to be told that it is gone, though it is forgotten here. */
  readonly #gone = new Set<Known>();
  /** Those among them that a host had before it got a shadow root: what is in it still has its old number. */
  #retired: Known[] = [];

  constructor(readonly context: ChangesContext) {}

  /** Takes mutation records. */
  mark(records: readonly MutationRecord[]): void {
    this.#succeed(records);
    for (const record of records) {
      const { type } = record;
      if (type === "childList") {
        const { addedNodes, removedNodes } = record;
        for (let at = 0, { length } = addedNodes; at < length; at++) this.#added.add(addedNodes[at] as Node);
        for (let at = 0, { length } = removedNodes; at < length; at++) {
          this.#removed.add(removedNodes[at] as Node);
        }
      } else if (type === "characterData") {
        this.#texts.add(record.target as CharacterData);
      } else {
        this.#markAttribute(record.target as Element, record);
      }
    }
  }

  /**
   * What has left the page, or went into a document that nobody looks at, can change from now on without a record, and come back:
   * it is forgotten at once. To be called with the records that the browser delivers: until then it tells what becomes of a
   * node that has left.
   */
  leave(records: readonly MutationRecord[]): void {
    const { known } = this.context;
    const forget = (node: Node): void => {
      if (!node.isConnected || !known.of(node.getRootNode())) this.#forget(node, this.#gone);
    };
    for (const { removedNodes } of records) {
      for (let at = 0; at < removedNodes.length; at++) forget(removedNodes[at] as Node);
    }
    for (const { node } of this.#retired) forget(node);
  }

  /** Marks every known text, and every attribute, of which this is true: they are told anew. */
  retell(right: (text: string, node: Node) => boolean): void {
    for (const node of this.context.known.nodes()) {
      if (node.nodeType === Node.TEXT_NODE) {
        if (right((node as Text).data, node)) this.#texts.add(node as Text);
        continue;
      }
      if (!isElement(node)) continue;
      for (const name of node.getAttributeNames()) {
        if (right(node.getAttribute(name) ?? "", node)) this.#touch(node, name);
      }
    }
  }

  /** The name of an element has been defined. */
  defined(element: Element): void {
    this.#touch(element, DEFINED);
  }

  /** An element is found to be a password field. */
  secret(element: Element): void {
    this.#touch(element, SECRET);
  }

  /** Texts that are edited and may have become a password. */
  *edited(): Generator<Element> {
    for (const { parentElement } of [...this.#texts, ...this.#added]) {
      const host = parentElement?.closest("[contenteditable]");
      if (host) yield host;
    }
  }

  /** `host` got a shadow root after it was told: it is told anew, and takes its children along. */
  attached(host: Element): void {
    const known = this.context.known.of(host);
    if (!known) return;
    this.context.known.forget(known);
    this.context.gone(host);
    this.#gone.add(known);
    this.#retired.push(known);
    this.#added.add(host);
  }

  /** Writes what changed. */
  write(out: Writer): void {
    const { known } = this.context;
    const firstNew = known.next;
    this.#writeAdded(out);
    this.#writeRemoved(out);
    this.#writeFrames(out);
    for (const [name, elements] of this.#attributes) {
      for (const element of elements) {
        const id = known.id(element);
        if (id && id < firstNew) this.#writeAttribute(out, id, element, name);
      }
    }
    for (const text of this.#texts) {
      const id = known.id(text);
      if (!id || id >= firstNew) continue;
      out.byte(6);
      out.uint(id);
      out.string(
        text.nodeType === Node.TEXT_NODE
          ? this.context.withholding.text(text.parentNode, text.data)
          : text.data,
      );
    }
    this.#attributes.clear();
    this.#texts.clear();
  }

  /** What takes text and comes where a password field goes is one too: "show password" may be made like that. */
  #succeed(records: readonly MutationRecord[]): void {
    const { withholding, known } = this.context;
    const left = new Set<Node>();
    for (const { target, removedNodes } of records) {
      for (const node of removedNodes) {
        if (isElement(node) && !node.isConnected && withholding.isPassword(node)) left.add(target);
      }
    }
    if (left.size === 0) return;
    for (const { target, addedNodes } of records) {
      for (const node of left.has(target) ? addedNodes : []) {
        if (isElement(node) && !known.of(node) && takesText(node)) withholding.remember(node);
      }
    }
  }

  /** Marks an attribute. */
  #touch(element: Element, name: string): void {
    const elements = this.#attributes.get(name);
    if (elements) elements.add(element);
    else this.#attributes.set(name, new Set([element]));
  }

  #markAttribute(element: Element, record: MutationRecord): void {
    const local = record.attributeName ?? "";
    const space = record.attributeNamespace;
    const name =
      (space && (element.getAttributeNodeNS(space, local)?.name ?? (PREFIXES[space] ?? "") + local)) || local;
    if (local === "type" || local === "id" || local === "name") {
      const { withholding } = this.context;
      withholding.notice(element, local === "type" ? record.oldValue : null);
      if (withholding.isSecret(element)) this.secret(element);
    }
    if (local === "data-tandem") {
      // It may have become, or ceased to be, a part of the page.
      (ignored(element) ? this.#removed : this.#added).add(element);
    }
    this.#touch(element, name);
  }

  #writeAdded(out: Writer): void {
    const { known } = this.context;
    const groups = new Map<Node, { parent: Known; depth: number; children: Set<Node> }>();
    for (const node of this.#added.take()) {
      const parentNode = node.parentNode;
      const parent = known.of(parentNode);
      if (!parentNode || !parent || !node.isConnected || ignored(node)) continue;
      const group = groups.get(parentNode);
      if (group) group.children.add(node);
      else groups.set(parentNode, { parent, depth: depthOf(parentNode), children: new Set([node]) });
    }
    for (const { parent, depth, children } of [...groups.values()].sort((a, b) => a.depth - b.depth)) {
      if (opaque(parent.node, depth)) continue;
      while (children.size > 0) {
        // The rightmost node of a run of marked siblings comes first: its next sibling is in place.
        let [node] = children as Set<Node | undefined>;
        for (let next = node?.nextSibling; next; next = next.nextSibling) {
          if (children.has(next)) node = next;
          else if (!ignored(next)) break;
        }
        for (; node; node = node.previousSibling ?? undefined) {
          if (children.delete(node)) this.#place(out, node, parent, depth + 1);
          else if (!ignored(node)) break;
        }
      }
    }
  }

  #place(out: Writer, node: Node, parent: Known, depth: number): void {
    const { known } = this.context;
    const old = known.of(node);
    const next = known.after(node, parent);
    if (old) {
      out.byte(2);
      out.uint(old.id);
      out.uint(parent.id);
      out.uint(next);
      old.parent = parent;
    } else {
      out.byte(1);
      out.uint(parent.id);
      out.uint(next);
      writeSubtree(out, node, parent, depth, this.context);
    }
  }

  #writeRemoved(out: Writer): void {
    const { known } = this.context;
    const gone = this.#gone;
    const left = this.#retired.map(({ node }) => node);
    for (const node of this.#removed.take()) {
      const entry = known.of(node);
      if (!entry) continue;
      const stays = node.isConnected && !ignored(node) && known.of(node.parentNode) === entry.parent;
      if (stays) continue;
      gone.add(entry);
      left.push(node);
    }
    for (const entry of gone) {
      if (within(entry.parent, gone)) continue;
      out.byte(3);
      out.uint(entry.id);
    }
    for (const node of left) {
      // It may live on under another number.
      const entry = known.of(node);
      if (!entry || gone.has(entry)) this.#forget(node);
    }
    gone.clear();
    this.#retired = [];
  }

  /** Forgets a node and what is in it; the outermost of what the server has of it, by its own tree, are added to `told`. */
  #forget(node: Node, told?: Set<Known>): void {
    const { known } = this.context;
    known.forgetTree(node, (entry) => {
      if (entry.parent && known.has(entry.parent)) told?.add(entry);
      if (isElement(entry.node) || entry.node.nodeType === Node.DOCUMENT_NODE)
        this.context.gone(entry.node as Element | Document);
    });
  }

  /** Frames that show another document, and documents that have another address. */
  #writeFrames(out: Writer): void {
    const { known, withholding } = this.context;
    for (const frame of known.frames.changed()) {
      const host = known.of(frame);
      if (!host) continue;
      const before = known.of(known.frames.of(frame));
      if (before) {
        out.byte(3);
        out.uint(before.id);
        this.#forget(before.node);
      }
      const depth = depthOf(frame);
      const document = depth + 1 < DEEPEST ? known.frames.enter(frame) : null;
      if (!document) continue;
      out.byte(1);
      out.uint(host.id);
      out.uint(0);
      writeSubtree(out, document, host, depth + 1, this.context, false);
    }
    for (const document of known.frames.moved()) {
      out.byte(32);
      out.uint(known.id(document));
      out.string(withholding.echoes.hideInAddress(document.URL));
    }
  }

  #writeAttribute(out: Writer, id: number, element: Element, name: string): void {
    const { withholding } = this.context;
    const ours = { [DEFINED]: isDefined, [SECRET]: (it: Element) => withholding.isSecret(it) }[name];
    const raw = ours ? (ours(element) ? "" : null) : element.getAttribute(name);
    const value = raw === null ? null : withholding.attribute(element, name, raw);
    out.byte(value === null ? 5 : 4);
    out.uint(id);
    out.string(name);
    if (value !== null) out.string(value);
    this.context.attributeChanged(element, name);
  }
}

/** Nodes that are marked, some perhaps more than once: most are found not to matter before anybody needs a set of them. */
class Marks {
  #all: Node[] = [];
  #room = MARKS;

  add(node: Node): void {
    this.#all.push(node);
    if (this.#all.length < this.#room) return;
    this.#all = [...new Set(this.#all)];
    this.#room = Math.max(MARKS, this.#all.length * 2);
  }

  [Symbol.iterator](): Iterator<Node> {
    return this.#all.values();
  }

  /** All of them, for the last time. */
  take(): readonly Node[] {
    const all = this.#all;
    this.#all = [];
    return all;
  }
}

/** Whether `entry` or something it is in, is in `set`. */
function within(entry: Known | null, set: ReadonlySet<Known>): boolean {
  for (let at = entry; at; at = at.parent) if (set.has(at)) return true;
  return false;
}
