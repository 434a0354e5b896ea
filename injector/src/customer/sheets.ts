/**
 * Style rules that scripts made and the DOM does not show: they are told as the text of style elements.
 *
 * A style element without text gets a text, and the adopted sheets of a root a style element at its end, that only the server's
 * page has. Nothing is read back of sheets that have a text or an address.
 */

import type { Writer } from "../wire/writer.ts";
import { isElement } from "./dom.ts";
import type { Known, KnownNodes } from "./known.ts";

/** Longest text of one root or element, in UTF-16 units. */
const LONGEST = 1024 * 1024;

type Root = Document | ShadowRoot;

/** What the server has in place of rules. */
interface StandIn {
  /** The style element that only the server has; of adopted sheets. */
  readonly style: Known | null;
  readonly text: Known;
  css: string;
}

/** The script-made sheets of one epoch. */
export class Sheets {
  readonly #standIns = new Map<Node, StandIn>();
  readonly #roots = new Map<Root, readonly CSSStyleSheet[]>();
  readonly #dirty = new Set<Node>();

  constructor(readonly known: KnownNodes) {}

  /** A new element or root of the page. */
  fresh(node: Element | Root): void {
    if (!isElement(node)) {
      this.#roots.set(node, []);
      this.moved();
    } else if (node.localName === "style") this.#dirty.add(node);
  }

  /** An element that is gone, with its shadow root; or a document. */
  gone(node: Element | Document): void {
    const root = isElement(node) ? this.known.roots.of(node) : node;
    if (root) {
      this.#roots.delete(root);
      this.#drop(root);
    }
    const document = node.ownerDocument;
    if (document && this.#standIns.get(document)?.style?.parent?.node === node) {
      this.#drop(document);
      this.#dirty.add(document);
    }
    this.#drop(node);
  }

  /** A script has changed the rules of a sheet. */
  mark(sheet: CSSStyleSheet): void {
    const owner = sheet.ownerNode;
    if (owner) this.#dirty.add(owner);
    else for (const [root, adopted] of this.#roots) if (adopted.includes(sheet)) this.#dirty.add(root);
  }

  /** Looks whether a root has adopted other sheets. */
  moved(): boolean {
    for (const [root, before] of this.#roots) {
      const now = root.adoptedStyleSheets ?? [];
      if (now.length === before.length && before.every((sheet, index) => sheet === now[index])) continue;
      this.#roots.set(root, [...now]);
      this.#dirty.add(root);
    }
    return this.#dirty.size > 0;
  }

  /** Tells what changed. */
  write(out: Writer): void {
    for (const node of this.#dirty) {
      const adopted = this.#roots.get(node as Root);
      const home = this.known.of((node as Document).documentElement ?? node);
      const css = adopted
        ? adopted.map(textOf).join("\n")
        : node.textContent?.trim()
          ? ""
          : textOf((node as HTMLStyleElement).sheet);
      if (home) this.#write(out, node, home, css.slice(0, LONGEST), adopted !== undefined);
    }
    this.#dirty.clear();
  }

  #write(out: Writer, node: Node, home: Known, css: string, adopted: boolean): void {
    const before = this.#standIns.get(node);
    if (before) {
      if (before.css === css) return;
      before.css = css;
      out.byte(6);
      out.uint(before.text.id);
      out.string(css);
      return;
    }
    if (!css) return;
    out.byte(1);
    out.uint(home.id);
    out.uint(0);
    let style: Known | null = null;
    if (adopted) {
      style = this.known.addTail(document.createElement("style"), home);
      out.byte(1);
      out.string("style");
      out.uint(0);
    }
    out.byte(2);
    out.string(css);
    if (style) out.byte(0);
    this.#standIns.set(node, { style, text: this.known.addTail(new Text(), style ?? home), css });
  }

  /** The server has dropped the place of a stand-in. */
  #drop(node: Node): void {
    const standIn = this.#standIns.get(node);
    if (!standIn) return;
    this.#standIns.delete(node);
    this.known.forget(standIn.text);
    if (standIn.style) this.known.forget(standIn.style);
  }
}

function textOf(sheet: CSSStyleSheet | null): string {
  if (!sheet || sheet.disabled) return "";
  let css = "";
  for (const rule of sheet.cssRules) css += `${rule.cssText}\n`;
  return sheet.media?.length && !sheet.ownerNode ? `@media ${sheet.media.mediaText}{${css}}` : css;
}
