/**
 * Shows drawings and films as the pictures that the customer's browser takes of them.
 *
 * The last picture stays until the next one is there. Where there is none, a labelled box says so.
 */

import { OWN } from "./attributes.ts";
import { markUnshown } from "./marks.ts";

/** Shows the picture behind `url`, or, when that is empty, that there is none. */
export function setPicture(element: Element, url: string): void {
  const { ownerDocument: document, localName } = element;
  const shown = element.querySelector<HTMLImageElement>(`:scope>img[${OWN.picture}]`);
  if (!url) {
    shown?.remove();
    if (localName === "video") element.removeAttribute("poster");
    markUnshown(element, true);
    return;
  }
  const image = shown ?? document.createElement("img");
  image.setAttribute(OWN.picture, "");
  image.alt = "";
  if (localName === "video") {
    // A poster is gone until the next one is there: it has to be there already.
    const next = document.createElement("img");
    next.src = url;
    next.decode().then(
      () => {
        element.setAttribute("poster", url);
        markUnshown(element, false);
      },
      () => {},
    );
    return;
  }
  image.src = url;
  // Where no scripts run a canvas is a plain element, and shows what is in it.
  if (!shown) element.append(image);
  markUnshown(element, false);
}

/** Sets of which the browser has been asked again. */
export type Asked = WeakMap<Element, string>;

/** A browser may not see the density of what it loads into an element that is not in the page yet: it looks once more. */
export function lookAgain(image: Element, asked: Asked): void {
  const set = image.localName === "img" ? image.getAttribute("srcset") : null;
  if (set === null || asked.get(image) === set) return;
  asked.set(image, set);
  image.setAttribute("srcset", set);
}
