/**
 * Which custom elements the page has defined: styles ask (`:defined`), and no attribute tells.
 *
 * It is told as an attribute that the page does not have; a name that is defined later is told then.
 */

/** The attribute that stands for it; the agent's mirror defines the element. */
export const DEFINED = "data-tandem-defined";

/** Whether an element is a custom element that its page has defined. */
export function isDefined(element: Element): boolean {
  return element.localName.includes("-") && element.matches(":defined");
}

/** Calls `defined` once the page has defined an element that it has not yet. */
export function awaitDefinition(element: Element, defined: (element: Element) => void): void {
  const { localName, ownerDocument } = element;
  if (!localName.includes("-") || isDefined(element)) return;
  ownerDocument.defaultView?.customElements.whenDefined(localName).then(
    () => defined(element),
    // No name of a custom element after all.
    () => {},
  );
}
