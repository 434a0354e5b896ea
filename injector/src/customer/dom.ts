/**
 * The composed tree: the page's DOM with its shadow roots and the documents of its frames.
 *
 * Everything here only reads the page, and never what would force a layout unless its name says so.
 */

import { type Kept, keptIn } from "../loader/kept.ts";
import { guarded } from "./guarded.ts";
import type { Realm } from "./realms.ts";

/** Shadow roots by host, closed ones too. */
export class Roots {
  /** What the loader keeps, and what is attached where it does not run. */
  readonly #kept: Pick<Kept, "roots" | "some"> = keptIn(window) ?? { roots: new WeakMap(), some: false };

  /** Is told of what is attached in a window from now on; before, the loader has kept it. False: there is no loader. */
  learn(realm: Realm, attached: (host: Element, root: ShadowRoot) => void): boolean {
    const kept = keptIn(realm);
    if (kept) kept.attached = (host, root) => guarded(() => attached(host, root));
    return !!kept;
  }

  /** The shadow root of `element`, or null. */
  of(element: Element): ShadowRoot | null {
    const { shadowRoot } = element;
    if (shadowRoot || !this.#kept.some) return shadowRoot;
    return this.#kept.roots.get(element) ?? null;
  }

  /** Remembers a root that `element.shadowRoot` may not give away. */
  keep(element: Element, root: ShadowRoot): void {
    this.#kept.roots.set(element, root);
    this.#kept.some = true;
  }
}

/** An observer of the browser's own: some pages put something of theirs in its place. */
export function observer(changed: (records: MutationRecord[]) => void): MutationObserver {
  return new (keptIn(window)?.observer ?? MutationObserver)(changed);
}

/** Whether `node` is an element. Cheaper and safer across realms than `instanceof`. */
export function isElement(node: unknown): node is Element {
  return (node as Node | null)?.nodeType === 1;
}

/** As `Element.matches`: a browser that does not know the selector does not have what it asks for. */
export function matches(element: Element, selector: string): boolean {
  try {
    return element.matches(selector);
  } catch {
    return false;
  }
}

/** The document that a frame shows, if this script can reach it. */
export function inFrame(element: Element): Document | null {
  try {
    return (element as HTMLIFrameElement).contentDocument ?? null;
  } catch {
    return null;
  }
}

/** The frame that shows a document; null for the page itself and for documents that nothing shows any more. */
export function frameOf(document: Document): Element | null {
  return document === globalThis.document ? null : (document.defaultView?.frameElement ?? null);
}

/** The host of a shadow root. A link has a `host`, too, which is no element. */
function hostOf(node: Node): Element | null {
  return node.nodeType === 11 ? ((node as ShadowRoot).host ?? null) : null;
}

/** The parent in the composed tree: that of a shadow root is its host, that of a frame's document the frame. */
export function above(node: Node): Node | null {
  if (node.nodeType === 9) return frameOf(node as Document);
  return node.parentNode ?? hostOf(node);
}

/** Whether `inner` is `outer` or inside it, shadow roots and frames included. */
export function holds(outer: Node, inner: Node | null): boolean {
  for (let at = inner; at; at = above(at)) if (at === outer) return true;
  return false;
}

/** The element that `element` is in, out of shadow roots but not out of a frame. */
export function parentAcross(element: Element): Element | null {
  return element.parentElement ?? hostOf(element.getRootNode());
}

/** As `Element.closest`, going on through shadow hosts, but not out of a frame. */
export function closestAcross(from: Element, selector: string): Element | null {
  for (let at: Element | null = from; at; ) {
    const found: Element | null = at.closest(selector);
    if (found) return found;
    at = hostOf(at.getRootNode());
  }
  return null;
}

/** The element that has the focus, however deep; null when only the body has. */
export function focused(roots: Roots): Element | null {
  let at = document.activeElement;
  const inside = (element: Element) => (roots.of(element) ?? inFrame(element))?.activeElement;
  for (let inner = at && inside(at); inner; inner = inside(inner)) at = inner;
  // Nothing has it then, unless the whole document is typed into, as many editors have one in a frame.
  const whole = at === at?.ownerDocument.body || at === at?.ownerDocument.documentElement;
  return whole && !(at as HTMLElement | null)?.isContentEditable ? null : at;
}

/** The topmost element at a point of the viewport, however deep, as if `except` was not there. Forces a layout. */
export function elementAt(x: number, y: number, except: Element, roots: Roots): Element | null {
  let found: Element | null = null;
  let root: DocumentOrShadowRoot | null = document;
  let at = { x, y };
  while (root) {
    const all: DocumentOrShadowRoot = root;
    // Only this one knows parts of image maps, and what has no box of its own.
    let hit: Element | null | undefined = all.elementFromPoint(at.x, at.y);
    if (hit === except) hit = all.elementsFromPoint(at.x, at.y).find((element) => element !== except);
    if (!hit || hit === found) break;
    found = hit;
    const document = inFrame(hit);
    if (document) at = into(hit, at);
    root = roots.of(hit) ?? document;
  }
  return found;
}

/** A rectangle of a viewport. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The box of an element in the page's own viewport, out of all frames that it is in. Forces a layout. */
export function boxOf(element: Element): Box {
  const { left, top, width, height } = element.getBoundingClientRect();
  return outOf(element.ownerDocument, { left, top, width, height });
}

/** A box of a document's viewport in the page's own. Forces a layout. */
export function outOf(document: Document, box: Box): Box {
  let { left, top, width, height } = box;
  for (let frame = frameOf(document); frame; frame = frameOf(frame.ownerDocument)) {
    const view = viewOf(frame);
    left = view.left + left * view.x;
    top = view.top + top * view.y;
    width *= view.x;
    height *= view.y;
  }
  return { left, top, width, height };
}

/** A point of the page's own viewport in that of a document. Forces a layout. */
export function pointIn(document: Document, at: { x: number; y: number }): { x: number; y: number } {
  const frame = frameOf(document);
  return frame ? into(frame, pointIn(frame.ownerDocument, at)) : at;
}

/** A point of a frame's document's viewport in that of the document inside it. */
function into(frame: Element, { x, y }: { x: number; y: number }): { x: number; y: number } {
  const view = viewOf(frame);
  return { x: (x - view.left) / view.x, y: (y - view.top) / view.y };
}

/** Where the viewport in a frame begins, and how large a pixel of it is, in the document that the frame is in. */
function viewOf(frame: Element): { left: number; top: number; x: number; y: number } {
  const box = frame.getBoundingClientRect();
  const { offsetWidth, offsetHeight, clientLeft, clientTop } = frame as HTMLElement;
  const [x, y] = [box.width / offsetWidth || 1, box.height / offsetHeight || 1];
  const { paddingLeft, paddingTop } = getComputedStyle(frame);
  return {
    left: box.left + (clientLeft + Number.parseFloat(paddingLeft)) * x,
    top: box.top + (clientTop + Number.parseFloat(paddingTop)) * y,
    x,
    y,
  };
}

/** Names of controls whose text a person types. */
const WORDLESS = new Set(["checkbox", "radio", "file", "hidden", "submit", "button", "reset", "image"]);

/** What kind of form control an element is, by what it holds. */
export function controlKind(element: Element): "text" | "check" | "select" | "file" | null {
  switch (element.localName) {
    case "textarea":
      return "text";
    case "select":
      return "select";
    case "input": {
      const { type } = element as HTMLInputElement;
      if (type === "checkbox" || type === "radio") return "check";
      if (type === "file") return "file";
      return WORDLESS.has(type) ? null : "text";
    }
    default:
      return null;
  }
}
