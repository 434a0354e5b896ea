/**
 * Notices that scripts have made or changed style rules. What tells the server of them is loaded only where they have.
 */

import type { MakeSheets, Sheets } from "../sheets/sheets.ts";
import type { Writer } from "../wire/writer.ts";
import { isElement } from "./dom.ts";
import type { KnownNodes } from "./known.ts";
import type { Extras, Restyled } from "./sheet-hooks.ts";

/** What can have rules that the DOM does not show. */
export type Styled = Document | ShadowRoot | HTMLStyleElement | HTMLLinkElement;

/** The script-made rules of one epoch. */
export class Restyling {
  readonly #all = new Set<Styled>();
  /** Elements whose text may not be what their sheet was made of. */
  readonly #unsure = new Set<Styled>();
  /** What was heard before there was somebody to tell it, each with its text then. */
  readonly #early = new Map<object, Partial<Record<Restyled, string>>>();
  #begun = false;
  #loading = false;
  #sheets: Sheets | null = null;

  /** `changed` is called when there is something new to write. */
  constructor(
    readonly known: KnownNodes,
    readonly extras: Extras,
    readonly load: () => Promise<MakeSheets>,
    readonly changed: () => void,
  ) {
    if (extras.make) this.#begin(extras.make);
  }

  /** A new element or root of the page. */
  fresh(node: Element | Document | ShadowRoot): void {
    if (isElement(node) && !/^(style|link)$/.test(node.localName)) return;
    const styled = node as Styled;
    this.#all.add(styled);
    if (!this.#begun || !node.textContent?.trim()) this.#unsure.add(styled);
    if (this.#sheets) this.#sheets.fresh(styled);
    else if (this.#isScripted(styled)) this.#need();
  }

  /** An element that is gone, with its shadow root; or a document. */
  gone(node: Element | Document): void {
    const root = isElement(node) && this.known.roots.of(node);
    if (root) this.#all.delete(root);
    this.#all.delete(node as Styled);
    this.#sheets?.gone(node);
  }

  /** A script has changed something. */
  note(how: Restyled, what: object): void {
    if (this.#sheets) {
      this.#sheets.note(how, what);
      return;
    }
    const { ownerNode, parentStyleSheet } = what as CSSStyleSheet;
    // A sheet that no document has: it is looked at once one adopts it.
    if (how !== "extras" && !ownerNode && !parentStyleSheet) return;
    const before = this.#early.get(what) ?? {};
    before[how] ??= (what as CSSRule).cssText;
    this.#early.set(what, before);
    this.#need();
  }

  /** Looks whether something has changed that no hook tells. */
  moved(): boolean {
    for (const node of this.#unsure) {
      const { localName, sheet } = node as HTMLStyleElement;
      if (!sheet) continue;
      const look = (text: string) => {
        if (wasEdited(sheet, text)) this.note("rules", sheet);
      };
      if (localName === "style") look(node.textContent ?? "");
      else if (sheet.href)
        loaded(sheet.href)
          .then(look)
          .catch(() => {});
    }
    this.#unsure.clear();
    if (this.#sheets) return this.#sheets.moved();
    for (const node of this.#all) if (this.#isScripted(node)) this.#need();
    return false;
  }

  /** Tells what changed. */
  write(out: Writer): void {
    this.#begun = true;
    this.#sheets?.write(out);
  }

  /** Whether there is more to tell than the DOM does: adopted sheets, fonts, elements whose sheet is off or may be. */
  #isScripted(node: Styled): boolean {
    if (isElement(node)) return isOff(node) || !!node.sheet?.title;
    return (
      node.adoptedStyleSheets?.length > 0 ||
      (node.nodeType === Node.DOCUMENT_NODE && this.extras.has(node as Document))
    );
  }

  #need(): void {
    if (this.#loading) return;
    this.#loading = true;
    this.load().then(
      (make) => {
        this.#begin(make);
        this.changed();
      },
      () => {
        this.#loading = false;
      },
    );
  }

  #begin(make: MakeSheets): void {
    this.extras.make = make;
    const sheets = make(this.known, this.extras);
    this.#sheets = sheets;
    for (const node of this.#all) sheets.fresh(node);
    for (const [what, texts] of this.#early) {
      for (const how of Object.keys(texts) as Restyled[]) sheets.note(how, what, texts[how]);
    }
    this.#early.clear();
  }
}

/** What the browser still has of an address of this origin; nothing is ever requested. */
async function loaded(url: string): Promise<string> {
  const answer = await fetch(url, { mode: "same-origin", cache: "only-if-cached" });
  return answer.ok ? answer.text() : Promise.reject();
}

/** Whether scripts have put rules in or out before anybody looked. */
function wasEdited(sheet: CSSStyleSheet, text: string): boolean {
  if (text.includes("@import")) return false;
  const probe = new CSSStyleSheet();
  probe.replaceSync(text);
  return probe.cssRules.length !== sheet.cssRules.length;
}

/** Whether the sheet of an element does not hold, though its attributes say nothing of it. */
export function isOff({ sheet, rel }: (HTMLStyleElement | HTMLLinkElement) & { rel?: string }): boolean {
  // One of several to choose from is not chosen until it says so itself.
  // And a style element without a sheet is one that the site's own policy forbids.
  return sheet ? sheet.disabled : rel === undefined || (/stylesheet/i.test(rel) && /alternate/i.test(rel));
}
