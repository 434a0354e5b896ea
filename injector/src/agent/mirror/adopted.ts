/**
 * The sheets that shadow roots of the page have adopted.
 *
 * The page tells them as a style element that only stands for them: it has a number, but is no child of its root here, where it
 * would count as one (`:last-child`). Its text is adopted in its place, after the mirror's own sheet.
 */

/** Says that a style element is such a one; `injector/src/sheets/sheets.ts` has the same name. */
const ADOPTED = "data-tandem-adopted";

export class AdoptedSheets {
  readonly #elements = new WeakMap<Node, Element>();
  readonly #roots = new WeakMap<Node, ShadowRoot>();
  /** Roots whose sheets are to be made. */
  readonly #bare = new Set<ShadowRoot>();

  /** Whether a node that comes into a root only stands for what that has adopted: it is known then, and goes nowhere. */
  take(node: Node, root: Node): boolean {
    const isOne = node.nodeType === Node.ELEMENT_NODE && (node as Element).hasAttribute(ADOPTED);
    if (!isOne || !(root as ShadowRoot).host || this.#elements.has(root)) return false;
    this.#elements.set(root, node as Element);
    this.#roots.set(node, root as ShadowRoot);
    this.#bare.add(root as ShadowRoot);
    return true;
  }

  /** What stands for the sheets of a root, after all its children. */
  of(root: Node): Element | undefined {
    return this.#elements.get(root);
  }

  /** The root of what stands for its sheets. */
  rootOf(node: Node): ShadowRoot | undefined {
    return this.#roots.get(node);
  }

  /** The text of a style element may be another one. */
  changed(element: Node | null): void {
    const root = element && this.#roots.get(element);
    if (root) this.#bare.add(root);
  }

  /** A root is in another document, and a sheet is of one. */
  again(root: ShadowRoot): void {
    if (this.#elements.has(root)) this.#bare.add(root);
  }

  /** A node goes. */
  remove(node: Node): void {
    const root = this.#roots.get(node);
    if (!root) return;
    this.#elements.delete(root);
    this.#bare.add(root);
  }

  /** Makes what has changed since the last time. */
  make(): void {
    for (const root of this.#bare) {
      const view = root.ownerDocument.defaultView as (Window & typeof globalThis) | null;
      const css = this.#elements.get(root)?.textContent;
      const [own] = root.adoptedStyleSheets;
      if (!view || !own) continue;
      root.adoptedStyleSheets = [own];
      if (!css) continue;
      const sheet = new view.CSSStyleSheet();
      sheet.replaceSync(css);
      root.adoptedStyleSheets = [own, sheet];
    }
    this.#bare.clear();
  }
}
