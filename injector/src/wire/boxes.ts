/**
 * In which box an element's places are counted: the agent's mirror and the customer's page must mean the same one.
 */

/** The element itself; of one without a box (`display: contents`) the nearest around it; of a part of an image map the image. */
export function boxOwner(element: Element): Element | null {
  let at: Node | null = imageOf(element) ?? element;
  while (at && !(at.nodeType === 1 && hasBox(at as Element)))
    at = at.parentNode ?? (at as ShadowRoot).host ?? null;
  return at as Element | null;
}

function hasBox(element: Element): boolean {
  const { width, height } = element.getBoundingClientRect();
  return width > 0 && height > 0;
}

function imageOf(area: Element): Element | null {
  if (area.localName !== "area") return null;
  const name = area.closest("map")?.getAttribute("name");
  const images = (area.getRootNode() as ParentNode).querySelectorAll("img[usemap]");
  return [...images].find((image) => image.getAttribute("usemap") === `#${name}`) ?? null;
}
