/**
 * Where in a text field a place in its text is: nothing in there can be measured.
 *
 * A copy of its text, laid out the same and seen by nobody, tells.
 */

/** A part of a line, in the field's viewport; a caret has no width. */
export type Place = { x: number; y: number; width: number; height: number };

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

/** The boxes of what is between two places of a field's text, or of the caret. `home` holds the copy for the moment. */
export function inField(
  field: HTMLInputElement | HTMLTextAreaElement,
  anchor: number,
  focus: number,
  home: Element,
): Place[] {
  const { ownerDocument: document, value } = field;
  const view = document.defaultView;
  if (!view) return [];
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
  home.append(copy);
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
