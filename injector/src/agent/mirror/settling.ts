/**
 * Which controls the browser may have changed by itself, because the page around them changed: an option that comes
 * into a list is chosen, a radio button takes the mark of another, an attribute becomes the value.
 *
 * The page tells a control only when it has come to another state than before, whatever happened in between. So
 * what it last said is to hold again after every frame.
 */

const RADIO = "input[type=radio]";

/** The controls of one frame. */
export class Settling {
  readonly #controls = new Set<Element>();
  /** Roots in which the marks of radio buttons may have moved. */
  readonly #roots = new Set<Node>();

  /** An attribute, the text or a child of `node` changes. */
  touch(node: Node | null): void {
    const element = node && (isElement(node) ? node : node.parentElement);
    const control = element?.closest("select, input, textarea");
    if (control) this.#controls.add(control);
    if (control?.matches(RADIO)) this.#roots.add(control.getRootNode());
  }

  /** `node` has come to another place. */
  moved(node: Node): void {
    this.touch(node.parentNode);
    if (isElement(node) && (node.matches(RADIO) || node.querySelector(RADIO)))
      this.#roots.add(node.getRootNode());
  }

  /** All of them, once. */
  take(): Set<Element> {
    const all = new Set(this.#controls);
    for (const root of this.#roots) {
      for (const radio of (root as ParentNode & Node).querySelectorAll(RADIO)) all.add(radio);
    }
    this.#controls.clear();
    this.#roots.clear();
    return all;
  }
}

function isElement(node: Node): node is Element {
  return node.nodeType === Node.ELEMENT_NODE;
}
