/**
 * The place of everything of ours on the screen: above the page, also above its dialogs, and usable there.
 *
 * While the page shows a modal dialog everything outside of it is inert, so our element moves into that dialog.
 */

import { make } from "./elements.ts";
import style from "./widget.inline.css";

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
  readonly box = make("div", "tandem", "", { lang: "en" });

  constructor(
    readonly host: HTMLElement,
    readonly root: ShadowRoot,
  ) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    root.append(this.box);
    host.popover = "manual";
    for (const event of OWN_EVENTS) host.addEventListener(event, (own) => own.stopPropagation());
  }

  /** Puts our element above everything; `modal` is the page's topmost modal dialog, if it shows one. */
  raise(modal: Element | null): void {
    const home = modal ?? document.documentElement;
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

  /** Puts our element back if the page has removed it. */
  keep(): void {
    if (!this.host.isConnected) this.raise(null);
  }
}
