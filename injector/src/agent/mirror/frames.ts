/**
 * The documents of the mirror: one for the page and one for each frame in it, all empty and script-less at first.
 *
 * A frame of the mirror has no address, so it inherits the sandbox and the policy of the mirror's own document: nothing of the
 * site runs or loads there either.
 */

import type { Point } from "../../protocol/words.ts";
import type { ViewPart } from "./view-frame.ts";

/** What a frame of the mirror may do: nothing, but this script can reach into it. */
export const SANDBOX = "allow-same-origin";

/** Public identifiers of which a parser makes the mode between: HTML Standard, "the initial insertion mode". */
const BETWEEN = /^-\/\/W3C\/\/DTD (XHTML 1\.0|HTML 4\.01) (Frameset|Transitional)\/\//i;

/** How a parser is told what a document's mode is. */
export type Mode = "quirks" | "between" | "standard";

/** The mode of a document by what comes first in it. */
export function modeOf(quirks: boolean, parts: readonly ViewPart[]): Mode {
  if (quirks) return "quirks";
  for (const part of parts) {
    if (part.part === "doctype") return BETWEEN.test(part.publicId) ? "between" : "standard";
    if (part.part === "element") break;
  }
  return "standard";
}

const DOCTYPES: Record<Mode, string> = {
  quirks: "",
  between: '<!doctype html public "-//W3C//DTD XHTML 1.0 Transitional//EN" "about:legacy-compat">',
  standard: "<!doctype html>",
};

/** Empties a document and gives it the mode that only a parser can set. What the parser built goes again. */
export function openDocument(document: Document, mode: Mode, styles: string): CSSStyleSheet | null {
  document.open();
  document.write(`${DOCTYPES[mode]}<html></html>`);
  document.close();
  document.replaceChildren();
  const view = document.defaultView as (Window & typeof globalThis) | null;
  if (!view) return null;
  const sheet = new view.CSSStyleSheet();
  sheet.replaceSync(styles);
  document.adoptedStyleSheets = [sheet];
  return sheet;
}

/** The node that this one is in, out of shadow roots and frames too. */
export function above(node: Node): Node | null {
  if (node.parentNode) return node.parentNode;
  if (node.nodeType === Node.DOCUMENT_NODE) {
    const frame = (node as Document).defaultView?.frameElement ?? null;
    // The mirror's own frame is the console's.
    return frame?.ownerDocument === globalThis.document ? null : frame;
  }
  return (node as ShadowRoot).host ?? null;
}

/** Where a point of a document is in the viewport of one around it, or of the mirror's outermost one. */
export function toOutermost(document: Document, at: Point, around?: Document): Point {
  let point = at;
  const frameOf = (inner: Document) => (inner === around ? null : (above(inner) as HTMLElement | null));
  for (let frame = frameOf(document); frame; ) {
    const box = frame.getBoundingClientRect();
    const scale = { x: box.width / (frame.offsetWidth || 1), y: box.height / (frame.offsetHeight || 1) };
    const inside = view(frame)?.getComputedStyle(frame);
    const padding = (side: "Left" | "Top") => Number.parseFloat(inside?.[`padding${side}`] ?? "") || 0;
    point = {
      x: box.left + (frame.clientLeft + padding("Left") + point.x) * scale.x,
      y: box.top + (frame.clientTop + padding("Top") + point.y) * scale.y,
    };
    frame = frameOf(frame.ownerDocument);
  }
  return point;
}

/** What has the focus in a document, also in shadow roots and frames. */
export function activeIn(document: Document | null): Element | null {
  let active = document?.activeElement ?? null;
  for (let inner = active && inside(active); inner; inner = inside(inner)) active = inner;
  return active;
}

/** What has the focus in the shadow root or the frame of an element. */
function inside(element: Element): Element | null {
  const frame = (element as HTMLIFrameElement).contentDocument;
  return element.shadowRoot?.activeElement ?? frame?.activeElement ?? null;
}

function view(element: Element): Window | null {
  return element.ownerDocument.defaultView;
}
