/**
 * What may have changed in the DOM since the last flush, and how that is told.
 *
 * Mutation records are only marks; what is told is the state at the time of the flush, parents before what they adopt,
 * siblings from right to left, so that every node that an operation names is where the server has it.
 */

import type { Writer } from "../wire/writer.ts";
import { writeAttribute } from "./attributes.ts";
import { DEFINED, isDefined } from "./custom.ts";
import { isElement } from "./dom.ts";
import { DEEPEST, depthOf, ignored, type Known, opaque } from "./known.ts";
import { TIME, timeOf } from "./sounds.ts";
import { type SubtreeContext, writeSubtree } from "./subtree.ts";
import { isTyped, SECRET, takesText } from "./withhold.ts";

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

/** What came into one parent, which is told. */
interface Group {
  readonly parent: Known;
  readonly depth: number;
  /** Whether what is in it is typed by people. */
  readonly typed: boolean;
  readonly children: Set<Node>;
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

  /**
   * Takes mutation records. With those that the browser has `delivered`, it stops to report on what has left the page, or went
   * into a document that nobody looks at: that can change without a record, and come back, so it is forgotten at once.
   */
  mark(records: readonly MutationRecord[], delivered: boolean): void {
    const { known, withholding } = this.context;
    const left: Node[] = [];
    /** Where password fields were. */
    const places = new Set<Node>();
    for (const record of records) {
      const { type, target } = record;
      if (type === "childList") {
        // What is in a node that is not told yet is told with it: lists are not even looked at, they are dear.
        if (known.of(target)) {
          const { addedNodes } = record;
          for (let at = 0, { length } = addedNodes; at < length; at++) {
            this.#added.add(addedNodes[at] as Node);
          }
        }
        const { removedNodes } = record;
        for (let at = 0, { length } = removedNodes; at < length; at++) {
          const node = removedNodes[at] as Node;
          if (known.of(node)) this.#removed.add(node);
          if (delivered) left.push(node);
          if (isElement(node) && withholding.isPassword(node) && !node.isConnected) places.add(target);
        }
      } else if (type === "characterData") {
        this.#texts.add(target as CharacterData);
      } else {
        this.#markAttribute(target as Element, record);
      }
    }
    if (places.size > 0) this.#succeed(records, places);
    if (!delivered) return;
    for (const node of left) this.#leave(node);
    for (const { node } of this.#retired) this.#leave(node);
  }

  #leave(node: Node): void {
    const { known } = this.context;
    if (node.isConnected && (known.of(node.parentNode) || known.of(node.getRootNode()))) return;
    this.#forget(node, this.#gone);
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

  /** A sound is at another place of its time. */
  timed(element: Element): void {
    this.#touch(element, TIME);
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

  /** What takes text and comes where a password field went is one too: "show password" may be made like that. */
  #succeed(records: readonly MutationRecord[], places: ReadonlySet<Node>): void {
    const { withholding, known } = this.context;
    for (const { target, addedNodes } of records) {
      for (const node of places.has(target) ? addedNodes : []) {
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
    if (local === "controls" && timeOf(element)) this.timed(element);
    if (local === "data-tandem") {
      // It may have become, or ceased to be, a part of the page.
      (ignored(element) ? this.#removed : this.#added).add(element);
    }
    this.#touch(element, name);
  }

  #writeAdded(out: Writer): void {
    const { known } = this.context;
    const groups = new Map<Node, Group>();
    let group: Group | undefined;
    let last: Node | undefined;
    for (const node of this.#added.take()) {
      const parentNode = node.parentNode;
      const parent = known.of(parentNode);
      if (!parentNode || !parent || !node.isConnected || ignored(node)) continue;
      if (parentNode !== last) {
        last = parentNode;
        group = groups.get(parentNode);
      }
      if (!group) {
        const [depth, typed] = [depthOf(parentNode), isTyped(parentNode)];
        group = { parent, depth, typed, children: new Set() };
        groups.set(parentNode, group);
      }
      group.children.add(node);
    }
    for (const { parent, depth, typed, children } of [...groups.values()].sort((a, b) => a.depth - b.depth)) {
      if (opaque(parent.node, depth)) continue;
      while (children.size > 0) {
        // The rightmost node of a run of marked siblings comes first: its next sibling is in place.
        let [node] = children as Set<Node | undefined>;
        for (let next = node?.nextSibling; next; next = next.nextSibling) {
          if (children.has(next)) node = next;
          else if (!ignored(next)) break;
        }
        for (; node; node = node.previousSibling ?? undefined) {
          if (children.delete(node)) this.#place(out, node, parent, depth + 1, typed);
          else if (!ignored(node)) break;
        }
      }
    }
  }

  #place(out: Writer, node: Node, parent: Known, depth: number, typed: boolean): void {
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
      writeSubtree(out, node, parent, depth, this.context, typed);
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
    let raw = element.getAttribute(name);
    if (name === DEFINED) raw = isDefined(element) ? "" : null;
    if (name === TIME) raw = timeOf(element);
    if (name === SECRET) raw = withholding.isSecret(element) ? "" : null;
    const value = raw === null ? null : withholding.attribute(element, name, raw);
    writeAttribute(out, id, name, value);
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
