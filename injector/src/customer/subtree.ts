/**
 * Writes a part of the page as a subtree: new nodes are numbered on the way, old ones are only named.
 */

import { Writer } from "../wire/writer.ts";
import { DEFINED, isDefined } from "./custom.ts";
import { isElement } from "./dom.ts";
import { DEEPEST, ignored, type Known, type KnownNodes, opaque } from "./known.ts";
import { isTyped, SECRET, type Withholding } from "./withhold.ts";

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
  /** Subtrees that need not be written, because the server holds them under these numbers. */
  readonly held?: ReadonlyMap<Node, number> | undefined;
  /** Told of each new element, shadow root and document of a frame, in document order. */
  fresh(node: Element | ShadowRoot | Document): void;
}

/** Writes `top`, a child of `parent` in the page, at `depth`. */
export function writeSubtree(
  out: Writer,
  top: Node,
  parent: Known,
  depth: number,
  context: SubtreeContext,
  typed = isTyped(top.parentNode),
): void {
  const { known, withholding } = context;
  const old = known.of(top);
  if (old) {
    out.byte(6);
    out.uint(old.id);
    old.parent = parent;
    return;
  }
  const held = context.held?.get(top);
  if (held !== undefined) {
    out.byte(9);
    out.uint(held);
    // Only numbered.
    writeSubtree(new Writer(), top, parent, depth, { ...context, held: undefined }, typed);
    return;
  }
  switch (top.nodeType) {
    case Node.TEXT_NODE:
    case Node.CDATA_SECTION_NODE:
      out.byte(2);
      out.string(withholding.text(top.parentNode, (top as Text).data, typed));
      known.add(top, parent);
      return;
    case Node.COMMENT_NODE:
    case Node.PROCESSING_INSTRUCTION_NODE:
      out.byte(3);
      out.string((top as CharacterData).data);
      known.add(top, parent);
      return;
    case Node.DOCUMENT_TYPE_NODE: {
      const { name, publicId, systemId } = top as DocumentType;
      out.byte(4);
      out.string(name);
      out.string(publicId);
      out.string(systemId);
      known.add(top, parent);
      return;
    }
  }
  const self = known.add(top, parent);
  let inside = typed;
  if (isElement(top)) {
    writeElement(out, top, withholding);
    inside ||= top.localName === "textarea" || top.hasAttribute("contenteditable");
    context.fresh(top);
    const document = depth + 1 < DEEPEST ? known.frames.enter(top) : null;
    if (document) writeSubtree(out, document, self, depth + 1, context);
    const root = known.roots.of(top);
    if (root && depth + 1 < DEEPEST) {
      if (known.of(root)) throw new Error("a shadow root without its host");
      writeSubtree(out, root, self, depth + 1, context, inside);
    }
  } else if (top.nodeType === Node.DOCUMENT_NODE) {
    const { compatMode, URL } = top as Document;
    out.byte(7);
    out.byte(compatMode === "BackCompat" ? 1 : 0);
    out.string(withholding.echoes.hideInAddress(URL));
    context.fresh(top as Document);
  } else {
    out.byte(5);
    context.fresh(top as ShadowRoot);
  }
  if (!opaque(top, depth)) {
    for (let child = top.firstChild; child; child = child.nextSibling) {
      if (!ignored(child)) writeSubtree(out, child, self, depth + 1, context, inside);
    }
  }
  out.byte(0);
}

function writeElement(out: Writer, element: Element, withholding: Withholding): void {
  out.byte(KINDS[element.namespaceURI ?? ""] ?? 1);
  out.string(element.localName);
  const told = toldOf(element, withholding);
  out.uint(told.length / 2);
  for (const text of told) out.string(text);
}

/** What is told of an element's attributes: names and values in turn. */
export function toldOf(element: Element, withholding: Withholding): string[] {
  withholding.notice(element);
  withholding.discover(element);
  const told: string[] = [];
  const names = element.getAttributeNames();
  if (names.length > MOST_ATTRIBUTES) names.length = MOST_ATTRIBUTES;
  for (const name of names) {
    const value = withholding.attribute(element, name, element.getAttribute(name) ?? "");
    if (value !== null) told.push(name, value);
  }
  if (isDefined(element)) told.push(DEFINED, "");
  if (withholding.isSecret(element)) told.push(SECRET, "");
  return told;
}
