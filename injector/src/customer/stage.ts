/**
 * The place of everything of ours on the screen: above the page, also above its dialogs, and usable there.
 *
 * While the page shows a modal dialog everything outside of it is inert, so our element moves into that dialog.
 */

import { direction } from "../loader/direction.ts";
import type { Look } from "../loader/look.ts";
import { make } from "./elements.ts";
import style from "./stage.inline.css";

/** Events on our own elements that are none of the page's business. */
const OWN_EVENTS = [
  "click",
  "dblclick",
  "pointerdown",
  "pointerup",
  "mousedown",
  "mouseup",
  "touchstart",
  "touchend",
  "keydown",
  "keyup",
  "focusin",
  "focusout",
  "wheel",
  "submit",
] as const;

/** Our element and what is in it. */
export class Stage {
  /** Holds everything that the bundle shows. */
  readonly box = make("div", "tandem");
  readonly #worn = new Set<string>();

  constructor(
    readonly host: HTMLElement,
    readonly root: ShadowRoot,
    readonly look: Look,
  ) {
    this.dress(style);
    root.append(this.box);
    host.popover = "manual";
    for (const event of OWN_EVENTS) host.addEventListener(event, (own) => own.stopPropagation());
  }

  /** Adds rules, once, for what a part shows. */
  dress(css: string): void {
    if (this.#worn.has(css)) return;
    this.#worn.add(css);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    this.root.adoptedStyleSheets.push(sheet);
  }

  /** What is shown from now on is in this language. */
  speak(language: string): void {
    this.box.lang = language;
    this.box.dir = direction(language);
  }

  /** Puts our element above everything; `topLayer` is what the page has there, as far as that is known. */
  raise(topLayer: readonly Element[] = []): void {
    const home = homeIn(this.host, topLayer);
    if (this.host.parentNode !== home) home.append(this.host);
    try {
      if (this.host.matches(":popover-open")) this.host.hidePopover();
      this.host.showPopover();
    } catch {
      // Without popovers the z-index has to do.
    }
    // What of ours is modal has to come above what was raised just now.
    for (const dialog of this.box.querySelectorAll("dialog")) {
      if (!dialog.open) continue;
      dialog.close();
      dialog.showModal();
    }
  }

  /** Puts our element back if the page has taken it away, or shows another dialog now than the one that it is in. */
  keep(topLayer?: readonly Element[]): void {
    if (this.host.parentNode !== homeIn(this.host, topLayer)) this.raise(topLayer);
  }
}

/**
 * The page's modal dialog, if it shows one; the topmost, as far as that is known: one in a shadow root by our element, which the
 * loader has put there, or once the page is shared. One in a frame makes only that inert.
 */
function homeIn({ parentElement }: Element, topLayer: readonly Element[] = []): Element {
  const known = topLayer.filter((element) => element.isConnected && element.ownerDocument === document);
  // One whose `open` a script has taken away is modal still, and has no box.
  const shown = (element: Element | null) =>
    element?.matches(":modal") && element.getClientRects().length > 0;
  const all = [parentElement, ...document.querySelectorAll(":modal"), ...known];
  return all.filter(shown).at(-1) ?? document.documentElement;
}
