/**
 * Shows what the customer has selected, and the caret.
 *
 * Text of the page is highlighted where it stands.
 */

import { inField } from "../../text/in-field.ts";
import { toOutermost } from "./frames.ts";
import { isMasked } from "./marks.ts";

/** One end of a selection. */
export type Place = { node: Node; offset: number };
export type Box = { x: number; y: number; width: number; height: number };

/** The name of the highlight; `marks.ts` has its colour. */
export const HIGHLIGHT = "tandem-selection";
/** In so many texts what can not be selected is left out. */
const MOST = 2000;
type HighlightView = Window & {
  CSS: { highlights?: Map<string, unknown> };
  Highlight?: new (...ranges: Range[]) => unknown;
};

/** Takes away what was highlighted in a document. */
export function clearSelection(document: Document): void {
  (document.defaultView as unknown as HighlightView | null)?.CSS.highlights?.delete(HIGHLIGHT);
}

/** Highlights the text between two places of a document. Returns where the caret is, or what is selected in a field. */
export function showSelection(anchor: Place, focus: Place): Box[] {
  const document = anchor.node.ownerDocument;
  if (!document) return [];
  const place = (box: Box): Box => ({ ...box, ...toOutermost(document, box) });
  if (anchor.node === focus.node && isField(anchor.node)) {
    if (isMasked(anchor.node)) return [];
    return inField(anchor.node, anchor.offset, focus.offset, document.documentElement).map(place);
  }
  const range = rangeOf(document, anchor, focus);
  if (!range) return [];
  if (range.collapsed) return caret(range).map(place);
  const view = document.defaultView as unknown as HighlightView | null;
  if (view?.Highlight) view.CSS.highlights?.set(HIGHLIGHT, new view.Highlight(...selectable(range)));
  return [];
}

/** What browsers colour of a selection: no text that can not be selected. */
function selectable(range: Range): Range[] {
  const { commonAncestorContainer: root, startContainer, startOffset, endContainer, endOffset } = range;
  const view = root.ownerDocument?.defaultView;
  const walker = root.ownerDocument?.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  if (!view || !walker || root.nodeType === Node.TEXT_NODE) return [range];
  const found: Range[] = [];
  walker.currentNode = startContainer.childNodes[startOffset] ?? startContainer;
  let text = walker.currentNode.nodeType === Node.TEXT_NODE ? walker.currentNode : walker.nextNode();
  for (; text && range.comparePoint(text, 0) < 1; text = walker.nextNode()) {
    const around = text.parentElement;
    if (found.length >= MOST) return [range];
    if (!around || view.getComputedStyle(around).userSelect === "none") continue;
    const part = range.cloneRange();
    part.selectNodeContents(text);
    if (text === startContainer) part.setStart(text, startOffset);
    if (text === endContainer) part.setEnd(text, endOffset);
    found.push(part);
  }
  return found;
}

/** How many places there are in a node. */
export function lengthOf(node: Node): number {
  if (node.nodeType === Node.TEXT_NODE) return (node as Text).length;
  return isField(node) ? node.value.length : node.childNodes.length;
}

function isField(node: Node): node is HTMLInputElement | HTMLTextAreaElement {
  return (node as Element).localName === "input" || (node as Element).localName === "textarea";
}

function rangeOf(document: Document, anchor: Place, focus: Place): Range | null {
  try {
    const ends = [anchor, focus].map(({ node, offset }) => {
      const range = document.createRange();
      range.setStart(node, Math.min(offset, lengthOf(node)));
      range.collapse(true);
      return range;
    });
    const [one, other] = ends as [Range, Range];
    const forward = one.compareBoundaryPoints(Range.START_TO_START, other) <= 0;
    const [first, last] = forward ? [one, other] : [other, one];
    first.setEnd(last.startContainer, last.startOffset);
    return first;
  } catch {
    // In a part of the page that has just gone.
    return null;
  }
}

function caret(range: Range): Box[] {
  const [box] = range.getClientRects();
  if (box) return [{ x: box.x, y: box.y, width: 0, height: box.height }];
  // An empty line has no box of its own: the element does.
  const { startContainer } = range;
  const child = startContainer.childNodes[range.startOffset] ?? startContainer;
  const element = child.nodeType === 1 ? (child as Element) : child.parentElement;
  const around = element?.getBoundingClientRect();
  return around ? [{ x: around.x, y: around.y, width: 0, height: Math.min(around.height || 16, 24) }] : [];
}
