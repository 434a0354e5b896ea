/**
 * The first wall of masking: which typed values never leave this browser.
 *
 * Passwords never do, whatever a policy says, and neither does what is typed into a field that was one before or came in place of
 * one, by its name, its place or what it holds. When a selector can not be
 * understood, no typed value leaves at all.
 */

import type { MakeFinder } from "../echoes/finder.ts";
import type { Echo, WithheldInFrame } from "../protocol/words.ts";
import { above, closestAcross, controlKind, frameOf, inFrame, isElement } from "./dom.ts";
import { Echoes } from "./echoes.ts";

/** Longest length that is told of a withheld value. */
const LONGEST = 64;
/** What the site itself marked as private is withheld on every page. */
const MARKED = "[data-tandem=mask],[data-tandem=hide]";
/** What is told of every password that is not empty. */
const PASSWORD = 8;
/** The attribute by which the server is told of a password field that does not look like one: `src/dom/tree/passwords.rs`. */
export const SECRET = "data-tandem-password";

/** Attributes that make the page what it is: the server needs them as they are, and hides what is in them. */
const LOADS = new Set(
  "class id style type name for form role dir lang slot is part src srcset sizes poster rel media action".split(
    " ",
  ),
);

/** Decides for elements of the page. */
export class Withholding {
  readonly #passwords = new WeakSet<Element>();
  /** Names and ids that password fields have had on this page. */
  readonly #names = new Set<string>();
  /** Whether there may be passwords in something else than a field. */
  #edited = false;
  /** What was typed here, for where the page repeats it. */
  readonly echoes: Echoes;
  /** What of fields was looked at. */
  readonly #learned = new WeakMap<Element, string>();
  /** Of the page; null stands for everything, until the server has said what. */
  #selector: string | null = null;
  /** By address: of documents in frames, without those of what is around them. */
  #frames = new Map<string, string | null>();

  /** `load` brings what finds typed values; `arrived` is told of what the server does not know of them. */
  constructor(load: () => Promise<MakeFinder>, arrived: (fresh: Echo[]) => void) {
    this.echoes = new Echoes(load, arrived);
  }

  /** Whether nothing is known that has to do with plain elements: no name of a password field, nothing typed. */
  get idle(): boolean {
    return this.#names.size === 0 && !this.#edited && this.echoes.empty;
  }

  /** Replaces the selectors. */
  set(select: readonly string[], frames: readonly WithheldInFrame[]): void {
    this.#selector = joined(select);
    this.#frames = new Map(frames.map((frame) => [frame.url, joined(frame.select)]));
  }

  /** The address of a document, or of the nearest around it, of which the server has said nothing yet. */
  unknown(document: Document): string | null {
    for (let at: Document | undefined = document; at && at !== globalThis.document; ) {
      const address = addressOf(at);
      if (address && !this.#frames.has(address) && address !== addressOf(globalThis.document)) return address;
      at = frameOf(at)?.ownerDocument;
    }
    return null;
  }

  /** What is withheld in a document: by its own address, and by those of all documents around it. */
  #selectorIn(document: Document, sure: boolean): string | null {
    if (document === globalThis.document) return this.#selector;
    const frame = frameOf(document);
    // Where one was that nothing shows any more nobody knows: all rules count, but not every field is private for that.
    const all = [this.#selector, ...this.#frames.values()];
    const gone = sure && !all.includes(null) ? all.join() : null;
    const around = frame ? this.#selectorIn(frame.ownerDocument, sure) : gone;
    if (around === null) return null;
    const address = addressOf(document);
    if (!address || address === addressOf(globalThis.document)) return around;
    const own = this.#frames.get(address);
    if (own === undefined) return sure ? around : null;
    return own && `${own},${around}`;
  }

  /** Looks at an element that is new or has changed its type, and remembers a password field as one for good. */
  notice(element: Element, formerType?: string | null): void {
    const input = element.localName === "input";
    if (!input && this.#names.size === 0) return;
    const { id } = element;
    const name = element.getAttribute("name") ?? "";
    const is =
      input &&
      ((element as HTMLInputElement).type === "password" ||
        formerType?.toLowerCase() === "password" ||
        element.getAttribute("autocomplete")?.toLowerCase().includes("password"));
    if (is) {
      for (const key of [id, name]) if (key) this.#names.add(key);
      this.remember(element);
    } else if (this.#names.size > 0 && (this.#names.has(id) || this.#names.has(name)) && takesText(element)) {
      this.remember(element);
    }
  }

  /** Makes something in which text is typed a password field for good, unless it is one. Returns whether it was none. */
  remember(element: Element): boolean {
    if (this.#passwords.has(element)) return false;
    this.#passwords.add(element);
    this.#edited ||= controlKind(element) === null;
    return true;
  }

  /** The same if a password is in it that was typed elsewhere. */
  discover(element: Element): boolean {
    if (!this.echoes.knowPasswords || !takesText(element)) return false;
    const { value } = element as HTMLInputElement;
    const text = controlKind(element) === "text" ? value : (element.textContent ?? "");
    return !!text && this.echoes.isPassword(text) && this.remember(element);
  }

  /** Whether it is or was a password field. */
  isPassword(element: Element): boolean {
    this.notice(element);
    return this.#passwords.has(element);
  }

  /** Whether the server has to be told that it is one. */
  isSecret(element: Element): boolean {
    return this.#passwords.has(element) && (element as HTMLInputElement).type !== "password";
  }

  /** Whether what is typed into `element` stays here: `surely`, or for want of knowing better. */
  holds(element: Element, surely = false): boolean {
    if (this.isPassword(element)) return true;
    for (let at: Node | null = this.#edited ? element : null; at; at = above(at)) {
      if (this.#passwords.has(at as Element)) return true;
    }
    for (let at: Element | null = element; at; at = frameOf(at.ownerDocument)) {
      const selector = this.#selectorIn(at.ownerDocument, surely);
      if (selector === null || closestAcross(at, selector)) return true;
    }
    return false;
  }

  /** Looks at what is in a withheld field, if it has not yet or looks `again`. */
  learn(field: Element, again = false): void {
    if (controlKind(field) !== "text" || !this.holds(field, true)) return;
    const { value } = field as HTMLInputElement;
    if (!again && value === this.#learned.get(field)) return;
    this.#learned.set(field, value);
    this.echoes.typing(field, value, this.isPassword(field));
  }

  /** Looks at what is in the withheld fields of a document and the frames in it. */
  learnAll(document: Document): void {
    // One look through the page for both.
    for (const element of document.querySelectorAll("input,textarea,iframe,frame,object")) {
      this.learn(element, true);
      const inner = inFrame(element);
      if (inner) this.learnAll(inner);
    }
  }

  /**
   * Learns what was typed into a document before, which may be anywhere in it. Resolves once all of that can be found: before, nothing
   * may be told. False if that is not `wanted` any more.
   */
  async ready(document: Document, wanted: () => boolean): Promise<boolean> {
    this.learnAll(document);
    while (wanted() && !this.echoes.ready) await this.echoes.prepare();
    return wanted();
  }

  /** What is told of a withheld value in place of it. */
  length(element: Element, value: string): number {
    if (!value) return 0;
    return this.isPassword(element) ? PASSWORD : Math.min(value.length, LONGEST);
  }

  /** What is told of an attribute: its value, another one, or nothing. */
  attribute(element: Element, name: string, value: string): string | null {
    switch (name) {
      case "srcdoc":
      case "nonce":
        // A document of its own, whose content is not part of this page; and what only this page's scripts may have.
        return null;
      case "value":
        if (this.holds(element)) return "";
        return this.echoes.keeps(name) ? value : this.echoes.hide(value);
      case "checked":
      case "selected":
        return this.holds(element) ? null : value;
      case "href":
      case "xlink:href":
        return this.echoes.hideInAddress(value);
      default:
        return this.echoes.empty || LOADS.has(name) || this.echoes.keeps(name)
          ? value
          : this.echoes.hide(value);
    }
  }

  /** What is told of a text: typed text of a withheld place keeps only its shape. `typed`: whether it is inside something to type in. */
  text(parent: Node | null, data: string, typed = isTyped(parent)): string {
    if (!typed && this.echoes.empty) return data;
    if (!isElement(parent) || !data.trim() || parent.localName === "style") return data;
    if (!typed || !this.holds(parent)) return this.echoes.hide(data);
    return controlKind(parent) === "text" ? "" : data.replace(/\S/gu, "•");
  }
}

/** Whether text can be typed into an element. */
export function takesText(element: Element): boolean {
  return controlKind(element) === "text" || element.hasAttribute("contenteditable");
}

/** One selector of all; null when one of them can not be understood here. */
function joined(select: readonly string[]): string | null {
  const probe = document.createDocumentFragment();
  for (const selector of select) {
    try {
      probe.querySelector(selector);
    } catch {
      return null;
    }
  }
  return [MARKED, ...select].join(",");
}

/** The address by which a document is judged, if it has one of its own: `about:blank` and the like have not. */
function addressOf(document: Document): string | null {
  return document.URL.startsWith("http") ? (document.URL.split("#")[0] ?? null) : null;
}

/** Whether what is in `node` is typed by people. */
export function isTyped(node: Node | null): boolean {
  const at = node?.nodeType === Node.DOCUMENT_FRAGMENT_NODE ? above(node) : node;
  return isElement(at) && closestAcross(at, "textarea,[contenteditable]") !== null;
}
