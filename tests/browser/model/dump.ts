/**
 * The model as a text: what the customer's page is, or what the mirror shows.
 *
 * It is run in the browsers, so nothing of this module but the function itself is there.
 */
import type { Program } from "./program.ts";

/** What a dump leaves on the window: frames whose documents are to be dumped by themselves. */
export type Others = { others: Element[] };

/**
 * One line for each node: names, attributes, text, what controls hold, where scrollers are, some computed styles. Lines that begin
 * with # are for reading. A frame of another host is a line `#other`, with its number and whether it is seen; `inside` says that of
 * the document of such a frame, with the depth at which its nodes are.
 */
export function dump(page: Document, inside?: { depth: number; seen: boolean }): string {
  const { rootOf } = (window as unknown as { program?: Program }).program ?? {};
  const top = page.querySelector("#model");
  const lines: string[] = [];
  const others: Element[] = [];
  Object.assign(window, { others });
  const PROPERTIES = ["display", "color", "paddingLeft", "paddingBottom", "letterSpacing", "borderLeftWidth", "textIndent"];
  const rootAt = (element: Element): ShadowRoot | null => (rootOf ? rootOf(element) : element.shadowRoot);
  /** The number of the slot that shows a child of a host; -1 if none does. */
  const slotOf = (element: Element, root: ShadowRoot): number =>
    Array.from(root.querySelectorAll("slot")).findIndex((slot) => slot.assignedNodes().includes(element));
  /** Whether a host shows its child anywhere. */
  const isSlotted = (element: Element): boolean => {
    const root = element.parentElement && rootAt(element.parentElement);
    return !root || slotOf(element, root) >= 0;
  };
  /** Of what has no box the browser may keep the style that it had when it was asked last. */
  const isSeen = (element: Element): boolean => {
    if (!element.checkVisibility() || inside?.seen === false) return false;
    const view = element.ownerDocument.defaultView;
    for (let at: Element | null = element; at; at = at.parentElement ?? (at.getRootNode() as ShadowRoot).host ?? null) {
      if (!isSlotted(at)) return false;
      if (!at.checkVisibility() && view?.getComputedStyle(at).display !== "contents") return false;
    }
    const frame = element.ownerDocument === page ? null : view?.frameElement;
    return !frame || isSeen(frame);
  };
  const styleOf = (element: Element): string => {
    const view = element.ownerDocument.defaultView;
    if (!view) return "";
    if (!isSeen(element)) return "unseen";
    const style = view.getComputedStyle(element);
    return PROPERTIES.map((name) => style[name as "color"]).join(" ");
  };
  const rulesOf = (sheet: CSSStyleSheet | null): string => {
    if (!sheet) return "";
    const rules = Array.from(sheet.cssRules, ({ cssText }) => cssText.replace(/\s+/g, " "));
    return `${sheet.disabled ? "disabled " : ""}${sheet.media.mediaText} ${rules.join(" ")}`;
  };
  const is = (element: Element, selector: string): boolean => {
    try {
      return element.matches(selector);
    } catch {
      return false;
    }
  };
  const visit = (node: Node, depth: number): void => {
    const indent = " ".repeat(depth);
    if (node.nodeType === 3) lines.push(`${indent}"${(node as Text).data.replace(/\p{Surrogate}/gu, "\ufffd")}"`);
    // A processing instruction is a comment to the agent.
    else if (node.nodeType === 8 || node.nodeType === 7) lines.push(`${indent}<!>`);
    else if (node.nodeType === 10) lines.push(`${indent}<!${(node as DocumentType).name}>`);
    if (node.nodeType !== 1) return;
    const element = node as HTMLInputElement;
    // Rules that no element has are told as a style element that only the mirror has: computed styles tell.
    if (element.localName === "style") lines.push(`${indent}# style ${rulesOf((node as unknown as HTMLStyleElement).sheet)}`);
    if (element.dataset?.tandem === "ignore") lines.push(`${indent}# ignored ${element.innerHTML.replace(/\s+/g, " ")}`);
    if (element.dataset?.tandem === "ignore" || /^(style|tandem-widget)$/.test(element.localName)) return;
    // What is never shown is told without its attributes.
    const bare = /^(template|noscript|script)$/.test(element.localName);
    if (bare) lines.push(`${indent}<${element.localName}>`);
    if (bare) return;
    const outer = element.parentElement && rootAt(element.parentElement);
    const attributes = element
      .getAttributeNames()
      // What is in which slot may be said otherwise, and counts by itself.
      .filter((name) => !(name === "slot" && outer) && !(name === "name" && element.localName === "slot"))
      // What the mirror must have its own way.
      .filter((name) => name !== "value" || element.type !== "hidden")
      .filter((name) => !/^(autocomplete|src|srcdoc|sandbox|data-tandem-.*|tandem-.*)$/.test(name))
      .map((name) => (name === "popover" ? name : `${name}=${element.getAttribute(name)}`))
      .sort();
    const state: string[] = [];
    if (outer) state.push(`slot=${slotOf(element, outer)}`);
    if (/^(input|textarea)$/.test(element.localName) && element.type !== "hidden") state.push(`value=${element.value}`);
    if (/^(checkbox|radio)$/.test(element.type)) state.push(`checked=${element.checked} indeterminate=${element.indeterminate}`);
    if (element.localName === "select") {
      state.push(`selected=${Array.from((node as unknown as HTMLSelectElement).selectedOptions, ({ index }) => index)}`);
    }
    if (/^(progress|meter)$/.test(element.localName)) state.push(`value=${element.value}`);
    if (is(element, ":modal")) state.push("modal");
    if (is(element, ":popover-open")) state.push("popover");
    if (isSeen(element) && (element.scrollTop || element.scrollLeft)) state.push(`scroll=${Math.round(element.scrollLeft)},${Math.round(element.scrollTop)}`);
    lines.push(`${indent}<${element.localName} ${attributes.join(" ")}> ${state.join(" ")} {${styleOf(element)}}`);
    const root = rootAt(element);
    if (root) {
      lines.push(`${indent}#shadow`);
      for (const sheet of root.adoptedStyleSheets) lines.push(`${indent}# adopted ${rulesOf(sheet)}`);
      for (const child of root.childNodes) visit(child, depth + 1);
    }
    if (element.localName === "iframe") {
      const inner = (node as unknown as HTMLIFrameElement).contentDocument;
      if (!inner) {
        lines.push(`${indent}#other ${others.push(element) - 1} ${isSeen(element)}`);
        return;
      }
      lines.push(`${indent}#document ${inner.compatMode}`);
      for (const child of inner.childNodes) visit(child, depth + 1);
      return;
    }
    for (const child of node.childNodes) visit(child, depth + 1);
  };
  if (inside) {
    lines.push(`${" ".repeat(inside.depth)}#document ${page.compatMode}`);
    for (const child of page.childNodes) visit(child, inside.depth + 1);
    return lines.join("\n");
  }
  for (const sheet of page.adoptedStyleSheets) lines.push(`# adopted ${rulesOf(sheet)}`);
  if (top) visit(top, 0);
  lines.push(`window ${Math.round(page.scrollingElement?.scrollTop ?? 0)}`);
  return lines.join("\n");
}
