/**
 * The first wall of masking: which typed values never leave this browser.
 *
 * Passwords never do, whatever a policy says, and neither does a field that was one before. When a selector can not be
 * understood, no typed value leaves at all.
 */

import { closestAcross, controlKind, isElement } from "./dom.ts";

/** Longest length that is told of a withheld value. */
const LONGEST = 64;
/** What the site itself marked as private is withheld on every page. */
const MARKED = "[data-tandem=mask],[data-tandem=hide]";
/** What is told of every password that is not empty. */
const PASSWORD = 8;

/** Decides for elements of the page. */
export class Withholding {
  readonly #passwords = new WeakSet<Element>();
  #selector = MARKED;
  /** Everything, until the server has said what. */
  #all = true;

  /** Replaces the selectors. */
  set(select: readonly string[]): void {
    const probe = document.createDocumentFragment();
    this.#all = false;
    for (const selector of select) {
      try {
        probe.querySelector(selector);
      } catch {
        this.#all = true;
      }
    }
    this.#selector = [MARKED, ...select].join(",");
  }

  /** Looks at an element that is new or has changed its type, and remembers a password field as one for good. */
  notice(element: Element, formerType?: string | null): void {
    if (element.localName !== "input") return;
    if (
      (element as HTMLInputElement).type === "password" ||
      formerType?.toLowerCase() === "password" ||
      element.getAttribute("autocomplete")?.toLowerCase().includes("password")
    ) {
      this.#passwords.add(element);
    }
  }

  /** Whether it is or was a password field. */
  isPassword(element: Element): boolean {
    this.notice(element);
    return this.#passwords.has(element);
  }

  /** Whether what is typed into `element` stays here. */
  holds(element: Element): boolean {
    return this.#all || this.isPassword(element) || closestAcross(element, this.#selector) !== null;
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
        return this.holds(element) ? "" : value;
      case "checked":
      case "selected":
        return this.holds(element) ? null : value;
      default:
        return value;
    }
  }

  /** What is told of a text: typed text of a withheld place keeps only its shape. */
  text(parent: Node | null, data: string): string {
    if (!isElement(parent) || !data.trim()) return data;
    const typed = closestAcross(parent, "textarea,[contenteditable]") !== null;
    if (!typed || !this.holds(parent)) return data;
    return controlKind(parent) === "text" ? "" : data.replace(/\S/gu, "•");
  }
}
