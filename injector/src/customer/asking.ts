/**
 * Shows the customer where to press themselves: what browsers let no script do, and so no agent.
 *
 * An outline and a few words beside it, over the page and never in it. They go when it is pressed, when the customer sends them
 * away, and by themselves.
 */

import style from "./asking.inline.css";
import { boxOf, holds } from "./dom.ts";
import { make } from "./elements.ts";
import { guarded } from "./guarded.ts";
import type { Realms } from "./realms.ts";
import type { Words } from "./words.ts";

/** How long it is shown, in milliseconds. */
const SHOWN = 30_000;
/** Between the element and the words, in CSS pixels. */
const GAP = 12;

/** The question of one page. */
export class Asking {
  readonly #ring = make("div", "ask", "", { "aria-hidden": "true" });
  readonly #words = make("div", "asked", "", { role: "status" });
  readonly #text = make("span");
  readonly #dismiss = make("button", "", "✕", { type: "button" });
  #sheet: CSSStyleSheet | null = null;
  #element: Element | null = null;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `host`: our own element. */
  constructor(
    readonly host: Element,
    realms: Realms,
    readonly words: () => Words,
  ) {
    this.#words.append(this.#text, this.#dismiss);
    this.#dismiss.addEventListener("click", () => this.stop());
    realms.listen("click", (event) => {
      const target = event.composedPath()[0] as Node;
      if (event.isTrusted && this.#element && holds(this.#element, target)) this.stop();
    });
  }

  /** Asks for a press on `element`. */
  show(element: Element): void {
    const root = this.host.shadowRoot;
    if (!root) return;
    if (!this.#element) {
      if (!this.#sheet) {
        this.#sheet = new CSSStyleSheet();
        this.#sheet.replaceSync(style);
        root.adoptedStyleSheets = [...root.adoptedStyleSheets, this.#sheet];
      }
      root.querySelector(".tandem")?.append(this.#ring, this.#words);
    }
    const { press_this, close } = this.words();
    this.#text.textContent = press_this;
    this.#dismiss.setAttribute("aria-label", close);
    this.#element = element;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(), SHOWN);
    cancelAnimationFrame(this.#frame);
    this.#follow();
  }

  /** Asks no more. */
  stop(): void {
    this.#element = null;
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#ring.remove();
    this.#words.remove();
  }

  /** The page may move in every frame. */
  readonly #follow = (): void => {
    const element = this.#element;
    if (!element?.isConnected) {
      this.stop();
      return;
    }
    guarded(() => this.#place(element));
    this.#frame = requestAnimationFrame(this.#follow);
  };

  #place(element: Element): void {
    const box = boxOf(element);
    const { style } = this.#ring;
    style.transform = `translate(${box.left}px,${box.top}px)`;
    style.width = `${box.width}px`;
    style.height = `${box.height}px`;
    const { offsetWidth, offsetHeight } = this.#words;
    const below = box.top + box.height + GAP;
    const top = below + offsetHeight < innerHeight ? below : box.top - offsetHeight - GAP;
    const within = (at: number, most: number) => Math.max(8, Math.min(at, most - 8));
    const x = within(box.left, innerWidth - offsetWidth);
    this.#words.style.transform = `translate(${x}px,${within(top, innerHeight - offsetHeight)}px)`;
  }
}
