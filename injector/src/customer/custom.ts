/**
 * Which custom elements the page has defined: styles ask (`:defined`), and no attribute tells.
 *
 * It is told as an attribute that the page does not have; a name that is defined later is told then.
 */

import { isElement } from "./dom.ts";
import { guarded } from "./guarded.ts";

/** The attribute that stands for it; the agent's mirror defines the element. */
export const DEFINED = "data-tandem-defined";

/** Names that are waited for at most. */
const MOST = 2000;

/** The custom elements of one epoch. */
export class CustomElements {
  /** Names that were not defined, by document: names are defined for a window. */
  readonly #waiting = new WeakMap<Document, Set<string>>();

  /** `defined` is told of a name that a document has defined by now. */
  constructor(readonly defined: (document: Document, name: string) => void) {}

  /** A new element of the page. */
  fresh(element: Element): void {
    const { localName, ownerDocument } = element;
    if (!isCustom(element) || isDefined(element)) return;
    const waiting = this.#waiting.get(ownerDocument) ?? new Set();
    if (waiting.has(localName) || waiting.size >= MOST) return;
    this.#waiting.set(ownerDocument, waiting.add(localName));
    const registry = ownerDocument.defaultView?.customElements;
    registry?.whenDefined(localName).then(
      () => guarded(() => this.defined(ownerDocument, localName)),
      // No name of a custom element after all.
      () => {},
    );
  }
}

/** Whether an element is a custom element that its page has defined. */
export function isDefined(element: Element): boolean {
  return isCustom(element) && element.matches(":defined");
}

function isCustom(node: Node): node is Element {
  return (
    isElement(node) && node.localName.includes("-") && node.namespaceURI === "http://www.w3.org/1999/xhtml"
  );
}
