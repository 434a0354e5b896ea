/**
 * Writes a part of the page as a subtree: new nodes are numbered on the way, old ones are only named.
 */

import { Writer } from "../wire/writer.ts";
import { DEFINED, isDefined } from "./custom.ts";
import { DEEPEST, ignored, type Known, type KnownNodes, OURS, opaque } from "./known.ts";
import { STAYS } from "./order.ts";
import type { Pace } from "./pace.ts";
import { Run } from "./run.ts";
import { TIME, timeOf } from "./sounds.ts";
import { SECRET, type Withholding } from "./withhold.ts";

// Of `Node`, whose constants a page may have covered.
const ELEMENT = 1;
const TEXT = 3;
const CDATA = 4;
const INSTRUCTION = 7;
const COMMENT = 8;
const DOCUMENT = 9;
const DOCTYPE = 10;
/** Elements about which there is more to know than name, attributes and children; so there is of all custom ones. */
const SPECIAL = new Set(
  "style,link,img,dialog,iframe,frame,object,input,textarea,select,option,script,noscript,template,audio,selectedcontent".split(
    ",",
  ),
);
/** Attributes of which not always the value is told, or that say something else of their element. */
const NOTABLE = new Set("srcdoc,nonce,value,checked,selected,data-tandem,popover,contenteditable".split(","));
/** In place of the last number of a node: what is in it is not numbered in its order. */
const MIXED = 0;
/** Two less than the server takes: those of ours may come. */
const MOST_ATTRIBUTES = 510;
/** Kinds of elements on the wire, by namespace; all others are HTML's. */
export const KINDS: Readonly<Record<string, number>> = {
  "http://www.w3.org/2000/svg": 17,
  "http://www.w3.org/1998/Math/MathML": 33,
};

/** What a subtree is written with. */
export interface SubtreeContext {
  readonly known: KnownNodes;
  readonly withholding: Withholding;
  readonly pace: Pace;
  /** What the texts of an element around are told by, while it is written. */
  run?: Run | undefined;
  /** Subtrees that need not be written, because the server holds them under these numbers. */
  held?: ReadonlyMap<Node, number> | undefined;
  /** Told of each node of which the children from this one on were not written, for want of time. */
  unfinished(node: Known, from: Node): void;
  /** Told of each new element, shadow root and document of a frame, in document order. */
  fresh(node: Element | ShadowRoot | Document): void;
}

/** Writes `top`, a child of `parent` in the page, at `depth`, if it is part of the shared page. */
export function writeSubtree(
  out: Writer,
  top: Node,
  parent: Known,
  depth: number,
  context: SubtreeContext,
  typed: boolean,
): void {
  const { known, withholding } = context;
  const old = known.of(top);
  if (old) {
    context.run?.skip(top);
    if (ignored(top)) return;
    out.byte(6);
    out.uint(old.id);
    old.parent = parent;
    old.at = STAYS;
    parent.last = MIXED;
    return;
  }
  const held = context.held?.get(top);
  if (held !== undefined) {
    out.byte(9);
    out.uint(held);
    context.run?.skip(top);
    // Only numbered.
    writeSubtree(new Writer(), top, parent, depth, { ...context, held: undefined, run: undefined }, typed);
    return;
  }
  switch (top.nodeType) {
    case ELEMENT:
      writeElement(out, top as Element, parent, depth, context, typed);
      return;
    case TEXT:
    case CDATA:
      out.byte(2);
      if (typed || !withholding.echoes.empty || !context.run?.tells(top as Text)) {
        context.run?.skip(top);
        out.text(withholding.text(parent.node, (top as Text).data, typed));
      }
      known.add(top, parent).first = 0;
      return;
    case COMMENT:
    case INSTRUCTION:
      out.byte(3);
      out.string((top as CharacterData).data);
      known.add(top, parent).first = 0;
      return;
    case DOCTYPE: {
      const { name, publicId, systemId } = top as DocumentType;
      out.byte(4);
      out.string(name);
      out.string(publicId);
      out.string(systemId);
      known.add(top, parent);
      return;
    }
    case DOCUMENT: {
      const { compatMode, URL } = top as Document;
      out.byte(7);
      out.byte(compatMode === "BackCompat" ? 1 : 0);
      out.string(withholding.echoes.hideInAddress(URL));
      break;
    }
    default:
      out.byte(5);
  }
  const self = known.add(top, parent);
  context.fresh(top as Document | ShadowRoot);
  if (!opaque(top, depth)) writeChildren(out, self, depth, context, typed);
  self.last = known.next - 1;
  out.byte(0);
}

function writeElement(
  out: Writer,
  top: Element,
  parent: Known,
  depth: number,
  context: SubtreeContext,
  typed: boolean,
): void {
  const { known, withholding } = context;
  const name = top.localName;
  const names = top.getAttributeNames();
  let notable = false;
  for (let at = 0; at < names.length; at++) notable ||= NOTABLE.has(names[at] as string);
  if (name === OURS || (notable && ignored(top))) {
    context.run?.skip(top);
    return;
  }
  const plain = isPlain(name);
  const self = known.add(top, parent);
  out.byte(KINDS[top.namespaceURI ?? ""] ?? 1);
  out.word(name);
  if (plain && !notable && withholding.idle && names.length < MOST_ATTRIBUTES) {
    out.uint(names.length);
    for (let at = 0; at < names.length; at++) {
      const name = names[at] as string;
      out.word(name);
      out.string(top.getAttribute(name) ?? "");
    }
  } else {
    const told = toldOf(top, withholding, names);
    out.uint(told.length / 2);
    for (let at = 0; at < told.length; at += 2) {
      out.word(told[at] as string);
      out.string(told[at + 1] as string);
    }
  }
  if (!plain || (notable && names.includes("popover"))) context.fresh(top);
  const inside = typed || name === "textarea" || (notable && names.includes("contenteditable"));
  if (depth + 1 < DEEPEST) {
    const { run } = context;
    const document = plain ? null : known.frames.enter(top);
    const root = known.roots.of(top);
    // Their texts are none of the run.
    if (document || root) {
      run?.flush();
      context.run = undefined;
    }
    if (document) writeSubtree(out, document, self, depth + 1, context, false);
    if (root) {
      if (known.of(root)) throw new Error("a shadow root without its host");
      writeSubtree(out, root, self, depth + 1, context, inside);
    }
    context.run = run;
    self.first = known.next;
  }
  if (depth >= DEEPEST || !(plain || !opaque(top, depth))) context.run?.skip(top);
  else if (context.run || inside || !withholding.echoes.empty || !top.firstElementChild)
    writeChildren(out, self, depth, context, inside);
  else {
    context.run = new Run(out, top);
    writeChildren(out, self, depth, context, inside);
    context.run.end(!context.pace.over);
    context.run = undefined;
  }
  self.last = known.next - 1;
  out.byte(0);
}

function writeChildren(out: Writer, of: Known, depth: number, context: SubtreeContext, typed: boolean): void {
  const { known, pace } = context;
  for (let child = of.node.firstChild; child; child = child.nextSibling) {
    if (pace.over) {
      if (of.last === MIXED) known.arrange(of);
      context.unfinished(of, child);
      return;
    }
    writeSubtree(out, child, of, depth + 1, context, typed);
    if (of.last !== MIXED) of.last = known.next - 1;
  }
  if (of.last === MIXED) known.arrange(of);
}

/** Whether all there is to know of an element of this name are its attributes and children. */
function isPlain(name: string): boolean {
  return !SPECIAL.has(name) && !name.includes("-");
}

/** What is told of an element's attributes: names and values in turn. */
export function toldOf(
  element: Element,
  withholding: Withholding,
  names = element.getAttributeNames(),
): string[] {
  withholding.notice(element);
  withholding.discover(element);
  const told: string[] = [];
  if (names.length > MOST_ATTRIBUTES) names.length = MOST_ATTRIBUTES;
  for (const name of names) {
    const value = withholding.attribute(element, name, element.getAttribute(name) ?? "");
    if (value !== null) told.push(name, value);
  }
  if (isDefined(element)) told.push(DEFINED, "");
  if (withholding.isSecret(element)) told.push(SECRET, "");
  const time = timeOf(element);
  if (time) told.push(TIME, time);
  return told;
}
