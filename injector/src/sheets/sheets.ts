/**
 * Style rules that scripts made or changed, and the DOM does not show.
 *
 * A style element without text gets a text, and the adopted sheets of a root a style element at its end, that only the server's
 * page has. Of a sheet that has a text or an address, only what scripts have changed is told: then its rules as they are
 * now. Nothing else is ever read back.
 */

import { isElement } from "../customer/dom.ts";
import type { Known, KnownNodes } from "../customer/known.ts";
import { isOff, type Styled } from "../customer/restyling.ts";
import type { Extras, Restyled } from "../customer/sheet-hooks.ts";
import type { Writer } from "../wire/writer.ts";

/** What the part hands over. */
export type MakeSheets = (known: KnownNodes, extras: Extras) => Sheets;

/** That a style element stands for what its root has adopted. */
const ADOPTED = "data-tandem-adopted";
/** Longest text of one root or element, in UTF-16 units. */
const LONGEST = 1024 * 1024;
/** Where it is there, the browser says of each sheet whether it is left out. */
const SAYS = "selectedStyleSheetSet";
/** Sheets that may be chosen by their title without a script. */
const TITLED =
  "style[title]:not([title='']),link[rel~=stylesheet i][title]:not([rel~=alternate i],[title=''])";
/** Rules whose declarations scripts may hold on to. */
const MOST_WATCHED = 200;

type Root = Document | ShadowRoot;
type Owner = HTMLStyleElement | HTMLLinkElement;

/** What is remembered of sheets from one epoch to the next: no text and no element says it. */
export class Memory {
  /** Those with a text or an address whose rules are not those any more. */
  readonly edited = new WeakSet<CSSStyleSheet>();
  /** Those that may hold for other media than their elements say. */
  readonly touched = new WeakSet<CSSStyleSheet>();
  /** The title of the sheets that a document holds to, of several titles. */
  readonly chosen = new WeakMap<Document, string>();
}

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
  readonly #owners = new Set<Owner>();
  readonly #dirty = new Set<Node>();
  /** Of each owner: its sheet when it was last told, what that held for, and what was told. */
  readonly #told = new WeakMap<Owner, { sheet: CSSStyleSheet | null; media: string | null; key: string }>();
  /** Rules whose declarations may change without a call, with their text. The oldest is first. */
  readonly #watched = new Map<CSSRule, string>();

  constructor(
    readonly known: KnownNodes,
    readonly extras: Extras,
    readonly memory = new Memory(),
  ) {}

  /** A new element or root of the page. */
  fresh(node: Styled): void {
    if (isElement(node)) {
      this.#owners.add(node);
      this.#dirty.add(node);
      return;
    }
    this.#roots.set(node, []);
    if (node.nodeType === Node.DOCUMENT_NODE) this.#dirty.add(node);
    this.moved();
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
    this.#owners.delete(node as Owner);
    this.#told.delete(node as Owner);
    this.#drop(node);
  }

  /** A script has changed this; `text` is what a rule said before. */
  note(how: Restyled, what: object, text?: string): void {
    switch (how) {
      case "rules":
        this.#mark(what as CSSStyleSheet);
        break;
      case "media":
        this.#touch(what as CSSStyleSheet);
        break;
      case "extras":
        if (this.#roots.has(what as Document)) this.#dirty.add(what as Document);
        break;
      case "rule":
        this.#watch(what as CSSRule, text);
    }
  }

  #touch(sheet: CSSStyleSheet): void {
    this.memory.touched.add(sheet);
    if (sheet.ownerNode) this.#dirty.add(sheet.ownerNode);
    else this.#mark(sheet);
  }

  #mark(sheet: CSSStyleSheet): void {
    let top = sheet;
    while (top.parentStyleSheet) top = top.parentStyleSheet;
    const owner = top.ownerNode;
    if (owner) {
      this.memory.edited.add(top);
      this.#dirty.add(owner);
    } else for (const [root, adopted] of this.#roots) if (adopted.includes(top)) this.#dirty.add(root);
  }

  #watch(rule: CSSRule, before?: string): void {
    const text = this.#watched.get(rule) ?? before ?? rule.cssText;
    this.#watched.delete(rule);
    this.#watched.set(rule, text);
    const [oldest] = this.#watched.keys();
    if (oldest && this.#watched.size > MOST_WATCHED) {
      this.#compare(oldest, this.#watched.get(oldest) ?? "");
      this.#watched.delete(oldest);
    }
  }

  /** Looks whether something has changed that no hook tells: adopted sheets, watched rules, sheets that came or went. */
  moved(): boolean {
    for (const [root, before] of this.#roots) {
      const now = root.adoptedStyleSheets ?? [];
      if (now.length === before.length && before.every((sheet, index) => sheet === now[index])) continue;
      this.#roots.set(root, [...now]);
      this.#dirty.add(root);
    }
    for (const owner of this.#owners) {
      const told = this.#told.get(owner);
      if (told && (told.sheet !== owner.sheet || told.media !== this.#mediaOf(owner))) this.#dirty.add(owner);
    }
    for (const [rule, text] of this.#watched) this.#compare(rule, text);
    return this.#dirty.size > 0;
  }

  /** Tells what changed. */
  write(out: Writer): void {
    for (const [rule, text] of this.#watched) this.#compare(rule, text);
    for (const node of this.#dirty) {
      const adopted = this.#roots.get(node as Root);
      const home = this.known.of((node as Document).documentElement ?? node);
      if (!home) continue;
      if (adopted) {
        const css = adopted.map((sheet) =>
          sheet.disabled || this.extras.own.has(sheet) ? "" : textOf(sheet),
        );
        if (node.nodeType === Node.DOCUMENT_NODE) css.unshift(extraOf(node as Document, this.extras));
        this.#write(out, node, home, css.join("\n").trim().slice(0, LONGEST), true);
        continue;
      }
      const owner = node as Owner;
      const bare = owner.localName === "style" && !owner.textContent?.trim();
      // With a text of its own it needs none in place of its rules any more.
      const css = bare ? textOf(owner.sheet).slice(0, LONGEST) : "";
      if (owner.localName === "style") this.#write(out, owner, home, css, false);
      this.#tell(out, owner, home, bare);
    }
    this.#dirty.clear();
  }

  /** What the sheet of an element holds for, where the element does not say it. */
  #mediaOf(owner: Owner): string | null {
    const { sheet } = owner;
    if (isOff(owner) || this.#isLeftOut(owner)) return "not all";
    return sheet && this.memory.touched.has(sheet) ? sheet.media.mediaText : null;
  }

  /** Whether the document holds to sheets of another title. */
  #isLeftOut(owner: Owner): boolean {
    const document = owner.getRootNode() as Document;
    const title = owner.sheet?.title;
    if (!title || document.nodeType !== Node.DOCUMENT_NODE || SAYS in document) return false;
    const chosen = this.memory.chosen.get(document) ?? chosenIn(document);
    if (chosen) this.memory.chosen.set(document, chosen);
    if (title === chosen) return false;
    // A script that has switched off the links that were chosen has chosen others: style elements never are.
    const links = [...this.#owners].filter((it) => it.title === chosen && it.ownerDocument === document);
    const switched = links.length > 0 && links.every((it) => it.hasAttribute("disabled"));
    return owner.localName === "style" || !switched;
  }

  #compare(rule: CSSRule, text: string): void {
    const now = rule.cssText;
    if (now === text) return;
    this.#watched.set(rule, now);
    if (rule.parentStyleSheet) this.#mark(rule.parentStyleSheet);
  }

  /** Tells of a sheet with an owner what the owner does not say. */
  #tell(out: Writer, owner: Owner, home: Known, bare: boolean): void {
    const { sheet } = owner;
    const edited = sheet && this.memory.edited.has(sheet);
    const media = this.#mediaOf(owner);
    const css = edited && !bare ? textOf(sheet).slice(0, LONGEST) : null;
    const key = `${media}\n${css}`;
    const before = this.#told.get(owner)?.key ?? "null\nnull";
    this.#told.set(owner, { sheet, media, key });
    if (key === before) return;
    out.byte(65);
    out.uint(home.id);
    for (const text of [media, css]) {
      out.byte(text === null ? 0 : 1);
      if (text !== null) out.string(text);
    }
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
      out.word("style");
      // In a document it is after the body, where it counts for nothing.
      const marked = node.nodeType !== Node.DOCUMENT_NODE;
      out.uint(marked ? 1 : 0);
      if (marked) {
        out.word(ADOPTED);
        out.string("");
      }
    }
    out.byte(2);
    out.text(css);
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
  if (!sheet) return "";
  let css = "";
  for (const rule of rulesOf(sheet)) css += `${rule.cssText}\n`;
  return sheet.media?.length && !sheet.ownerNode ? `@media ${sheet.media.mediaText}{${css}}` : css;
}

/** What a document says of that itself, or the first title that it came upon. */
function chosenIn(document: Document): string | undefined {
  const meta = document.querySelector<HTMLMetaElement>("meta[http-equiv=default-style i]");
  const titled = [...document.querySelectorAll<Owner>(TITLED)];
  const first = titled.find((it) => !it.hasAttribute("disabled")) ?? titled[0];
  return meta?.content || first?.title;
}

/** A sheet of another origin does not give its rules away, and nobody can have changed them. */
function rulesOf(sheet: CSSStyleSheet): Iterable<CSSRule> {
  try {
    return sheet.cssRules;
  } catch {
    return [];
  }
}

/** CSS for what is in no sheet. */
function extraOf(document: Document, { fonts, properties }: Extras): string {
  const css: string[] = [];
  for (const { name, syntax, inherits, initialValue } of properties.get(document) ?? []) {
    const initial = initialValue === undefined ? "" : `;initial-value:${initialValue}`;
    css.push(`@property ${name}{syntax:${JSON.stringify(syntax ?? "*")};inherits:${inherits}${initial}}`);
  }
  for (const face of document.fonts ?? []) {
    let source = fonts.get(face);
    if (!source) continue;
    if (typeof source !== "string") {
      source = `url(${URL.createObjectURL(source)})`;
      fonts.set(face, source);
    }
    const family = JSON.stringify(face.family.replace(/^(["'])(.*)\1$/, "$2"));
    css.push(
      `@font-face{font-family:${family};src:${source};font-weight:${face.weight};font-style:${face.style};font-stretch:${face.stretch};unicode-range:${face.unicodeRange}}`,
    );
  }
  return css.join("\n");
}
