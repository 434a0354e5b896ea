/**
 * Shows the customer where the agent types: an outline around the field, the caret, and the agent's name.
 *
 * It draws over the page and never changes it; it follows what scrolls and grows.
 */

import { inField } from "../text/in-field.ts";
import { type Box, boxOf, controlKind, outOf } from "./dom.ts";
import type { At } from "./editing.ts";
import { make } from "./elements.ts";
import { guarded } from "./guarded.ts";
import type { Stage } from "./stage.ts";

/** How often to look whether it has moved in a way that no event tells, in milliseconds. */
const LOOK = 250;
const COLOUR = "#c92a2a";
const LAYER = "position:fixed;inset:0;overflow:hidden;pointer-events:none;contain:strict";
const PART = "position:absolute;inset:0 auto auto 0;box-sizing:border-box;";
const OUTLINE = `${PART}border:2px solid ${COLOUR};border-radius:4px`;
const CARET = `${PART}width:2px;background:${COLOUR}`;
const NAME = `${PART}background:${COLOUR};color:#fff;font:600 11px/16px system-ui,sans-serif;padding:0 5px;border-radius:4px;white-space:nowrap`;

/** The agent's place in one page. */
export class Whereabouts {
  readonly #layer = styled(LAYER, "whereabouts");
  readonly #outline = styled(OUTLINE);
  readonly #caret = styled(CARET);
  readonly #name = styled(NAME);
  #in: HTMLElement | null = null;
  #at: At | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `name` is the agent's. */
  constructor(
    readonly stage: Stage,
    readonly name: () => string,
  ) {
    this.#layer.ariaHidden = "true";
    this.#layer.append(this.#outline, this.#caret, this.#name);
  }

  /** What the agent is in. */
  get in(): HTMLElement | null {
    return this.#in;
  }

  /** The agent is in this element, with the caret there; or nowhere. */
  show(element: HTMLElement | null, at: At | null = null): void {
    if (element !== this.#in) this.#at = null;
    this.#at = at ?? this.#at;
    if (element && !this.#in) {
      this.stage.box.append(this.#layer);
      this.#timer = setInterval(this.#draw, LOOK);
      for (const type of ["scroll", "resize"]) addEventListener(type, this.#draw, true);
    } else if (!element && this.#in) {
      this.#layer.remove();
      clearInterval(this.#timer);
      for (const type of ["scroll", "resize"]) removeEventListener(type, this.#draw, true);
    }
    this.#in = element;
    this.#draw();
  }

  readonly #draw = (): void => {
    guarded(() => {
      const element = this.#in;
      if (!element) return;
      const box = element.isConnected ? boxOf(element) : null;
      this.#layer.hidden = !box || box.width === 0;
      if (!box) return;
      this.#name.textContent = this.name();
      put(this.#outline, {
        left: box.left - 3,
        top: box.top - 3,
        width: box.width + 6,
        height: box.height + 6,
      });
      put(this.#name, { left: box.left - 3, top: box.top > 22 ? box.top - 20 : box.top + box.height + 4 });
      const caret = this.#place(element);
      this.#caret.hidden = !caret;
      if (caret) put(this.#caret, { left: caret.left, top: caret.top, width: 2, height: caret.height });
    });
  };

  #place(element: HTMLElement): Box | null {
    const at = this.#at;
    if (!at?.node.isConnected) return null;
    let box: { x: number; y: number; height: number } | undefined;
    if (controlKind(element) === "text") {
      [box] = inField(element as HTMLInputElement, at.offset, at.offset, this.stage.box);
    } else {
      const range = element.ownerDocument.createRange();
      const length =
        at.node.nodeType === Node.TEXT_NODE ? (at.node as Text).length : at.node.childNodes.length;
      range.setStart(at.node, Math.min(at.offset, length));
      range.collapse(true);
      [box] = range.getClientRects();
      // An empty line has no box of its own: its element has.
      box ??= (
        at.node.nodeType === Node.TEXT_NODE ? at.node.parentElement : (at.node as Element)
      )?.getBoundingClientRect();
    }
    return box
      ? outOf(element.ownerDocument, { left: box.x, top: box.y, width: 2, height: Math.min(box.height, 40) })
      : null;
  }
}

function put({ style }: HTMLElement, { left, top, width, height }: Partial<Box>): void {
  style.transform = `translate(${left}px,${top}px)`;
  if (width !== undefined) style.width = `${width}px`;
  if (height !== undefined) style.height = `${height}px`;
}

/** An element with these styles. In an attribute the site's policy could forbid them. */
function styled(css: string, className = ""): HTMLElement {
  const element = make("div", className);
  element.style.cssText = css;
  return element;
}
