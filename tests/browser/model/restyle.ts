/**
 * Whether a browser shows what it says: Chromium may lose track of its own sheets, slots and styles, and go on showing what was.
 *
 * It is run in the browsers, so nothing of this module but the function itself is there.
 */
import type { Program } from "./program.ts";

/** Has the browser make anew, of the same page, what is in which slot, which rules there are, and what every element looks like. */
export function restyle(page: Document): void {
  const { rootOf } = (window as unknown as { program?: Program }).program ?? {};
  const inside = (element: Element): ShadowRoot | null => (rootOf ? rootOf(element) : element.shadowRoot);
  const roots: (Document | ShadowRoot)[] = [page];
  const elements: Element[] = [];
  for (const root of roots) {
    for (const element of root.querySelectorAll("*")) {
      if (element.localName === "tandem-widget") continue;
      elements.push(element);
      const inner = [inside(element), element.localName === "iframe" ? (element as HTMLIFrameElement).contentDocument : null];
      roots.push(...inner.flatMap((one) => one ?? []));
    }
  }
  const places = elements.map(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop] as const);
  let focused = page.activeElement as HTMLElement | null;
  for (let inner: Element | null = focused; inner; ) {
    focused = inner as HTMLElement;
    inner = (inside(inner) ?? (inner.localName === "iframe" ? (inner as HTMLIFrameElement).contentDocument : null))?.activeElement ?? null;
  }
  const owned = elements.flatMap((element) => (element.localName === "style" ? ((element as HTMLStyleElement).sheet ?? []) : []));
  for (const sheet of [...owned, ...roots.flatMap(({ adoptedStyleSheets }) => adoptedStyleSheets)]) {
    sheet.deleteRule(sheet.insertRule("restyle{}", sheet.cssRules.length));
  }
  for (const root of roots) {
    const home = root.nodeType === Node.DOCUMENT_NODE ? (root as Document).documentElement : root;
    const style = (root.ownerDocument ?? (root as Document)).createElement("style");
    const slot = style.ownerDocument.createElement("slot");
    home?.append(style);
    style.textContent = ":root { display: none !important }";
    if (home === root) root.prepend(slot);
    page.documentElement.getClientRects();
    style.remove();
    slot.remove();
  }
  focused?.blur();
  focused?.focus({ preventScroll: true });
  elements.forEach((element, at) => element.scrollTo(...(places[at] ?? [0, 0])));
}
