/**
 * What may have changed in the DOM since the last flush, and how that is told.
 *
 * Mutation records are only marks; what is told is the state at the time of the flush, parents before what they adopt,
 * siblings from right to left, so that every node that an operation names is where the server has it.
 *
 * The lists of a record are dear: a browser makes objects of them only when they are asked for. A parent is compared with what
 * the server has in it instead.
 */

import type { Writer } from "../wire/writer.ts";
import { writeAttribute } from "./attributes.ts";
import { DEFINED, isDefined } from "./custom.ts";
import { isElement } from "./dom.ts";
import { DEEPEST, depthOf, ignored, type Known, opaque } from "./known.ts";
import { MOVES, STAYS, settle } from "./order.ts";
import { TIME, timeOf } from "./sounds.ts";
import { type SubtreeContext, writeSubtree } from "./subtree.ts";
import { isTyped, SECRET, takesText } from "./withhold.ts";

/** The lists of records are read where the server has more children in a parent than this for each of them. */
const CHILDREN = 8;
const PREFIXES: Readonly<Record<string, string>> = {
  "http://www.w3.org/1999/xlink": "xlink:",
  "http://www.w3.org/XML/1998/namespace": "xml:",
};

/** What changes need of the recorder besides writing subtrees. */
export interface ChangesContext extends SubtreeContext {
  /** Told of each element and document that the server forgets. */
  gone(node: Element | Document): void;
  /** Told when something may be a part of the page that was there before. */
  entered(): void;
  /** Told of each changed attribute of a known element. */
  attributeChanged(element: Element, name: string): void;
}

/** A parent in which something came, went or moved. */
interface Group {
  readonly parent: Known;
  /** Its children were looked at, and it goes on with this one: the server has none of it and what follows that does not stay. */
  from: Node | null;
  /** What those come before, if that is known. */
  next: Known | null | undefined;
  /** How many records of one batch are about it. */
  records: number;
}

/** The marks of one epoch. */
export class Changes {
  readonly #groups = new Map<Known, Group>();
  /** What the server has elsewhere than it is, or not at all any more. */
  readonly #removed = new Set<Node>();
  /** By the name of the attribute: there are few names, and often many elements. */
  readonly #attributes = new Map<string, Set<Element>>();
  readonly #texts = new Set<CharacterData>();
  /** What the server is still to be told that it is gone, though it is forgotten here. */
  readonly #gone = new Set<Known>();
  /** Those among them that a host had before it got a shadow root: what is in it still has its old number. */
  #retired: Known[] = [];

  constructor(readonly context: ChangesContext) {}

  /**
   * Takes mutation records. Once it has delivered them, the browser stops to report on what has left the page, or went into a
   * document that nobody looks at: that can change without a record, and come back, so it is forgotten at once.
   */
  mark(records: readonly MutationRecord[]): void {
    const { known, withholding } = this.context;
    // Then what left may be in something that is not told yet.
    const pending = this.#groups.size > 0;
    const touched: Group[] = [];
    let last: Node | undefined;
    let group: Group | null = null;
    for (const record of records) {
      const { type, target } = record;
      if (type === "childList") {
        if (target !== last) {
          last = target;
          // What is in a node that is not told yet is told with it.
          const parent = known.of(target);
          group = parent ? this.#group(parent) : null;
          if (group?.records === 0) touched.push(group);
        }
        if (group) group.records++;
      } else if (type === "characterData") {
        if (known.of(target)) this.#texts.add(target as CharacterData);
      } else {
        this.#markAttribute(target as Element, record);
      }
    }
    const left: Node[] = [];
    let all = pending;
    const isLost = (node: Node) => isElement(node) && withholding.isPassword(node) && !node.isConnected;
    for (const group of touched) {
      const { parent, records } = group;
      const children = known.children(parent);
      if (children.length > records * CHILDREN) continue;
      group.records = 0;
      for (const { node } of children) {
        if (node.parentNode === parent.node) continue;
        left.push(node);
        all ||= isLost(node);
      }
    }
    /** Where password fields were. */
    const places = new Set<Node>();
    for (const record of all || touched.some((group) => group.records) ? records : []) {
      const { type, target } = record;
      if (type !== "childList" || !(all || this.#groups.get(known.of(target) as Known)?.records)) continue;
      for (const node of record.removedNodes) {
        if (known.of(node)) this.#removed.add(node);
        left.push(node);
        if (isLost(node)) places.add(target);
      }
    }
    for (const group of touched) group.records = 0;
    if (places.size > 0) this.#succeed(records, places);
    for (const node of left) this.#leave(node);
    for (const { node } of this.#retired) this.#leave(node);
  }

  /** Marks a node in which the server has nothing of the children `from` this one on. */
  unfinished(parent: Known, from: Node | null): void {
    const group = this.#group(parent);
    group.from = from;
    group.next = null;
  }

  /** Marks a parent: all of its children are to be looked at. */
  #group(parent: Known): Group {
    const group = this.#groups.get(parent) ?? { parent, from: null, next: undefined, records: 0 };
    group.from = null;
    group.next = undefined;
    this.#groups.set(parent, group);
    return group;
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
    const places = [...this.#texts].map(({ parentElement }) => parentElement);
    for (const place of [...places, ...[...this.#groups.keys()].map(({ node }) => node)]) {
      const host = isElement(place) && place.closest("[contenteditable]");
      if (host) yield host;
    }
  }

  /** `host` got a shadow root after it was told: it is told anew, and takes its children along. */
  attached(host: Element): void {
    const known = this.context.known.of(host);
    if (!known) return;
    this.#entered(host);
    this.context.known.forget(known);
    this.context.gone(host);
    this.#gone.add(known);
    this.#retired.push(known);
  }

  /** Writes what changed. False: not all of it, because that would take too long. */
  write(out: Writer): boolean {
    if (!this.#writeGroups(out)) return false;
    this.#writeRemoved(out);
    this.#writeFrames(out);
    // A document of a frame may have been too large.
    if (this.#groups.size > 0) return false;
    const { known, withholding } = this.context;
    for (const [name, elements] of this.#attributes) {
      for (const element of elements) {
        const id = known.id(element);
        if (id) this.#writeAttribute(out, id, element, name);
      }
    }
    for (const text of this.#texts) {
      const id = known.id(text);
      if (!id) continue;
      out.byte(6);
      out.uint(id);
      out.string(text.nodeType === Node.TEXT_NODE ? withholding.text(text.parentNode, text.data) : text.data);
    }
    this.#attributes.clear();
    this.#texts.clear();
    return true;
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

  /** Marks that a node may be a part of the page where it is. */
  #entered(node: Node): void {
    const parent = this.context.known.of(node.parentNode);
    if (parent) this.#group(parent);
  }

  /** Marks an attribute. One of an element that is not told yet is told with it. */
  #touch(element: Element, name: string): void {
    if (!this.context.known.of(element)) return;
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
      if (ignored(element)) this.#removed.add(element);
      this.#entered(element);
      this.context.entered();
    }
    this.#touch(element, name);
  }

  /** Writes what came or moved, outer parents first. False: not all of it. */
  #writeGroups(out: Writer): boolean {
    const { known, pace } = this.context;
    const groups = [...this.#groups.values()]
      .filter(({ parent }) => known.has(parent))
      .map((group) => ({ group, depth: depthOf(group.parent.node) }))
      .sort((a, b) => a.depth - b.depth);
    this.#groups.clear();
    for (const { group, depth } of groups) {
      const { parent } = group;
      if (opaque(parent.node, depth) || (!pace.over && this.#compare(out, group, depth + 1))) continue;
      this.#groups.set(parent, group);
    }
    return this.#groups.size === 0;
  }

  /** Makes the children that the server has in a parent what they are now. False: not all of them. */
  #compare(out: Writer, group: Group, depth: number): boolean {
    const { known } = this.context;
    const { parent, from, next } = group;
    const { firstChild } = parent.node;
    if (!from) this.#settle(parent, firstChild);
    // What only goes on at the end of a long list costs nothing of what is there.
    const longer = from !== null && next === null;
    const told = longer ? known.children(parent) : [];
    // What has left with its parent is not told.
    const there = parent.node.isConnected;
    const whole = !there || this.#fill(out, group, from ?? firstChild, depth, told);
    if (!longer) known.arrange(parent, there && whole && !from ? told : undefined);
    return whole;
  }

  /** Decides which children stay while others are put around them. */
  #settle(parent: Known, firstChild: Node | null): void {
    const { known } = this.context;
    const had = known.children(parent);
    if (had.length === 0) return;
    const there: Known[] = [];
    let count = 0;
    for (const child of had) if (child.parent === parent && child.at === STAYS) child.at = ++count;
    for (let node = firstChild; node; node = node.nextSibling) {
      const entry = known.of(node);
      if (entry?.parent === parent && entry.at > STAYS) there.push(entry);
    }
    settle(there);
    for (const child of had) {
      if (child.at <= STAYS) continue;
      child.at = MOVES;
      this.#removed.add(child.node);
    }
  }

  /** The entry of a node that the server has where it is, and that nothing is to be done about. */
  #stays(node: Node, parent: Known): Known | null {
    const entry = this.context.known.of(node);
    return entry?.parent === parent && entry.at === STAYS ? entry : null;
  }

  /** Puts children of a parent where they are, from this one on, and adds them to those that are `told`. */
  #fill(out: Writer, group: Group, from: Node | null, depth: number, told: Known[]): boolean {
    const { parent } = group;
    const typed = isTyped(parent.node);
    let { next } = group;
    for (let node = from; node; node = node.nextSibling) {
      const stays = this.#stays(node, parent);
      if (stays) {
        told.push(stays);
        next = undefined;
      } else if (!ignored(node)) {
        if (this.context.pace.over) {
          group.from = node;
          group.next = next;
          return false;
        }
        if (next === undefined) {
          // All of a run come before the same one.
          let after = node.nextSibling;
          for (next = null; after && !next; after = after.nextSibling) next = this.#stays(after, parent);
        }
        this.#put(out, node, parent, next, depth, typed);
        const entry = this.context.known.of(node);
        if (entry) told.push(entry);
      }
    }
    return true;
  }

  /** Tells that a node is in `parent` now, before `next` or last. */
  #put(out: Writer, node: Node, parent: Known, next: Known | null, depth: number, typed: boolean): void {
    const { known } = this.context;
    const old = known.of(node);
    out.byte(old ? 2 : 1);
    if (old) out.uint(old.id);
    out.uint(parent.id);
    out.uint(next?.id ?? known.tail(parent));
    if (old) {
      old.parent = parent;
      old.at = STAYS;
    } else {
      writeSubtree(out, node, parent, depth, this.context, typed);
    }
  }

  #writeRemoved(out: Writer): void {
    const { known } = this.context;
    const gone = this.#gone;
    const left = this.#retired.map(({ node }) => node);
    for (const node of this.#removed) {
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
    this.#removed.clear();
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

/** Whether `entry` or something it is in, is in `set`. */
function within(entry: Known | null, set: ReadonlySet<Known>): boolean {
  for (let at = entry; at; at = at.parent) if (set.has(at)) return true;
  return false;
}
