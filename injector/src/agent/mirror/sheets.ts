/**
 * Gives a linked sheet the rules that scripts of the page have made of it.
 */

import { OWN } from "./attributes.ts";

/** Puts `css` in place of what the link loads; `null` gives it back. */
export function setRules(link: Element, css: string | null): void {
  const next = link.nextElementSibling;
  const own = next?.hasAttribute(OWN.rules) ? next : null;
  if (css === null) {
    own?.remove();
    if (own) (link as HTMLLinkElement).disabled = false;
    return;
  }
  const style = own ?? link.ownerDocument.createElement("style");
  style.setAttribute(OWN.rules, "");
  style.textContent = css;
  const media = link.getAttribute("media");
  if (media !== null) style.setAttribute("media", media);
  // Right after the link: the order of sheets decides.
  if (!own) link.after(style);
  (link as HTMLLinkElement).disabled = true;
}
