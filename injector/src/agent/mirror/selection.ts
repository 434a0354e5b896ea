/**
 * Shows what the customer has selected, and the caret.
 *
 * Text of the page is highlighted where it stands. Inside a field nothing of the page can be measured: a copy of its text, laid
 * out the same and seen by nobody, tells where the caret is.
 */

import { toOutermost } from "./frames.ts";
import { isMasked } from "./marks.ts";

/** One end of a selection. */
export type Place = { node: Node; offset: number };
export type Box = { x: number; y: number; width: number; height: number };

/** The name of the highlight; `marks.ts` has its colour. */
export const HIGHLIGHT = "tandem-selection";
/** Boxes of one selection at most. */
const BOXES = 100;
/** What makes text in a field take the place that it takes. */
const LAYOUT = [
  "box-sizing",
  "border",
  "padding",
  "font",
  "letter-spacing",
  "word-spacing",
  "text-indent",
  "text-transform",
  "text-align",
  "direction",
  "tab-size",
  "line-height",
];

type HighlightView = Window & {
  CSS: { highlights?: Map<string, unknown> };
  Highlight?: new (range: Range) => unknown;
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
    return inField(anchor.node, anchor.offset, focus.offset).map(place);
  }
  const range = rangeOf(document, anchor, focus);
  if (!range) return [];
  if (range.collapsed) return caret(range).map(place);
  const view = document.defaultView as unknown as HighlightView | null;
  if (view?.Highlight) view.CSS.highlights?.set(HIGHLIGHT, new view.Highlight(range));
  return [];
}

function isField(node: Node): node is HTMLInputElement | HTMLTextAreaElement {
  return (node as Element).localName === "input" || (node as Element).localName === "textarea";
}

function rangeOf(document: Document, anchor: Place, focus: Place): Range | null {
  try {
    const ends = [anchor, focus].map(({ node, offset }) => {
      const range = document.createRange();
      const length = node.nodeType === 3 ? (node as Text).length : node.childNodes.length;
      range.setStart(node, Math.min(offset, length));
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

function inField(field: HTMLInputElement | HTMLTextAreaElement, anchor: number, focus: number): Box[] {
  const { ownerDocument: document, value } = field;
  const view = document.defaultView;
  if (!view || isMasked(field)) return [];
  const outer = field.getBoundingClientRect();
  const style = view.getComputedStyle(field);
  const copy = document.createElement("div");
  copy.style.cssText = "all:initial;position:fixed;visibility:hidden;left:0;top:0;overflow:hidden";
  for (const property of LAYOUT) copy.style.setProperty(property, style.getPropertyValue(property));
  const lines = field.localName === "textarea";
  copy.style.whiteSpace = lines ? "pre-wrap" : "pre";
  copy.style.overflowWrap = "break-word";
  copy.style.width = `${outer.width}px`;
  copy.style.height = `${outer.height}px`;
  // The last character makes the place after the text one that can be measured.
  const text = document.createTextNode(`${value}\u200b`);
  copy.append(text);
  document.documentElement.append(copy);
  try {
    const range = document.createRange();
    const [start, end] = [Math.min(anchor, focus), Math.max(anchor, focus)].map((at) =>
      Math.min(at, value.length),
    );
    range.setStart(text, start ?? 0);
    range.setEnd(text, start === end ? (start ?? 0) + 1 : (end ?? 0));
    const base = copy.getBoundingClientRect();
    // One line of text stands in the middle of its field.
    const [line] = range.getClientRects();
    const inner = Number.parseFloat(style.paddingTop) + Number.parseFloat(style.borderTopWidth);
    const down = lines || !line ? 0 : (outer.height - line.height) / 2 - inner;
    return Array.from(range.getClientRects())
      .slice(0, BOXES)
      .map((box) => {
        const x = box.x - base.x + outer.x - field.scrollLeft;
        const y = box.y - base.y + outer.y - field.scrollTop + down;
        return { x: Math.min(x, outer.right), y, width: start === end ? 0 : box.width, height: box.height };
      })
      .filter(({ x, y, height }) => x >= outer.x - 1 && y >= outer.y - 2 && y + height <= outer.bottom + 2);
  } finally {
    copy.remove();
  }
}
