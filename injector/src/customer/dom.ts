/**
 * The composed tree: the page's DOM with its shadow roots.
 *
 * Everything here only reads the page, and never what would force a layout unless its name says so.
 */

/** Shadow roots by host; closed ones are known when they were attached while a session ran. */
export class Roots {
  readonly #closed = new WeakMap<Element, ShadowRoot>();

  /** The shadow root of `element`, or null. */
  of(element: Element): ShadowRoot | null {
    return element.shadowRoot ?? this.#closed.get(element) ?? null;
  }

  /** Remembers a root that `element.shadowRoot` may not give away. */
  keep(element: Element, root: ShadowRoot): void {
    this.#closed.set(element, root);
  }
}

/** Whether `node` is an element. Cheaper and safer across realms than `instanceof`. */
export function isElement(node: unknown): node is Element {
  return (node as Node | null)?.nodeType === 1;
}

/** The parent in the composed tree: that of a shadow root is its host. */
export function above(node: Node): Node | null {
  return node.parentNode ?? (node as ShadowRoot).host ?? null;
}

/** Whether `inner` is `outer` or inside it, shadow roots included. */
export function holds(outer: Node, inner: Node | null): boolean {
  for (let at = inner; at; at = above(at)) if (at === outer) return true;
  return false;
}

/** As `Element.closest`, going on through shadow hosts. */
export function closestAcross(from: Element, selector: string): Element | null {
  for (let at: Element | null = from; at; ) {
    const found: Element | null = at.closest(selector);
    if (found) return found;
    const root: Node = at.getRootNode();
    at = (root as ShadowRoot).host ?? null;
  }
  return null;
}

/** The element that has the focus, however deep; null when only the body has. */
export function focused(roots: Roots): Element | null {
  let at = document.activeElement;
  for (let inner = at && roots.of(at)?.activeElement; inner; inner = roots.of(inner)?.activeElement)
    at = inner;
  return at === document.body || at === document.documentElement ? null : at;
}

/** The topmost element at a point of the viewport, however deep, as if `except` was not there. Forces a layout. */
export function elementAt(x: number, y: number, except: Element, roots: Roots): Element | null {
  let found: Element | null = null;
  let root: DocumentOrShadowRoot | null = document;
  while (root) {
    const hit: Element | undefined = root.elementsFromPoint(x, y).find((element) => element !== except);
    if (!hit || hit === found) break;
    found = hit;
    root = roots.of(hit);
  }
  return found;
}

/** Names of controls whose text a person types. */
const WORDLESS = new Set(["checkbox", "radio", "file", "hidden", "submit", "button", "reset", "image"]);

/** What kind of form control an element is, by what it holds. */
export function controlKind(element: Element): "text" | "check" | "select" | null {
  switch (element.localName) {
    case "textarea":
      return "text";
    case "select":
      return "select";
    case "input": {
      const { type } = element as HTMLInputElement;
      if (type === "checkbox" || type === "radio") return "check";
      return WORDLESS.has(type) ? null : "text";
    }
    default:
      return null;
  }
}
