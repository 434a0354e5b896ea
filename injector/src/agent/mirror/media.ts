/**
 * Lets the style sheets of the mirror hold for what the customer likes and has, not for what the agent does.
 *
 * A query for such a feature is replaced by one that always holds or never does, and a set of pictures by the one that is for
 * the customer's screen; the size of the window is the customer's already. Sheets are looked at once, and again when the
 * customer's answer is another one.
 */

import { answeredFor, chosenFor } from "./resolution.ts";

/** Feature → what the customer has of it, by the bits of `injector/src/customer/media.ts`. */
function values(bits: number): Map<string, string[]> {
  const has = (bit: number): boolean => (bits & (1 << bit)) !== 0;
  const pointer = (coarse: number, fine: number): string[] => {
    const kinds = [has(coarse) ? "coarse" : "", has(fine) ? "fine" : ""].filter(Boolean);
    return kinds.length > 0 ? kinds : ["none"];
  };
  return new Map([
    ["prefers-color-scheme", [has(0) ? "dark" : "light"]],
    ["prefers-reduced-motion", [has(1) ? "reduce" : "no-preference"]],
    ["prefers-contrast", [has(2) ? "more" : has(3) ? "less" : "no-preference"]],
    ["forced-colors", [has(4) ? "active" : "none"]],
    ["hover", [has(5) ? "hover" : "none"]],
    ["any-hover", [has(6) ? "hover" : "none"]],
    ["pointer", pointer(7, 8)],
    ["any-pointer", pointer(9, 10)],
  ]);
}

const FEATURE =
  /\(\s*(prefers-color-scheme|prefers-reduced-motion|prefers-contrast|forced-colors|(?:any-)?hover|(?:any-)?pointer)\s*(?::\s*([\w-]+)\s*)?\)/gi;
const ALWAYS = "(min-width: 0px)";
const NEVER = "(min-width: 99999999px)";
/** What does not count as having a feature. */
const NOTHING = new Set(["none", "no-preference"]);

const answer = (holds: boolean): string => (holds ? ALWAYS : NEVER);

/** A media query as the customer's browser would answer it. `ratio`: device pixels for one of CSS, in percent. */
export function answered(query: string, bits: number, ratio: number): string {
  const has = values(bits);
  const preferred = query.replace(FEATURE, (_whole, name: string, value?: string) => {
    const held = has.get(name.toLowerCase()) ?? [];
    return answer(value ? held.includes(value.toLowerCase()) : held.some((value) => !NOTHING.has(value)));
  });
  return answeredFor(ratio, preferred, answer);
}

/** Where pictures stand. */
const PICTURES = ["background-image", "content", "list-style-image", "border-image-source", "mask-image"];

type Root = Document | ShadowRoot;

/** The sheets of one mirror. */
export class Media {
  readonly #roots = new Set<Root>();
  readonly #texts = new WeakMap<MediaList, string>();
  /** Sets of pictures, as they were written. */
  readonly #sets = new WeakMap<CSSStyleRule, Map<string, string>>();
  #seen = new WeakSet<CSSStyleSheet>();
  #bits: number | null = null;
  #ratio = 100;

  /** The sheets of a document or shadow root are to be looked after. */
  add(root: Root): void {
    this.#roots.add(root);
  }

  /** The customer's preferences. */
  set bits(bits: number) {
    this.#bits = bits;
    this.#seen = new WeakSet();
    this.look();
  }

  /** Device pixels for one of CSS on the customer's screen, in percent. */
  set ratio(ratio: number) {
    if (ratio === this.#ratio) return;
    this.#ratio = ratio;
    this.#seen = new WeakSet();
    this.look();
  }

  /** Whether the customer likes it dark. */
  get isDark(): boolean {
    return ((this.#bits ?? 0) & 1) !== 0;
  }

  /** Looks at the sheets that are new. */
  look(): void {
    if (this.#bits === null) return;
    for (const root of this.#roots) {
      if (!root.isConnected) {
        this.#roots.delete(root);
        continue;
      }
      // The first of the adopted ones is the mirror's own.
      const adopted = root.adoptedStyleSheets.slice(1);
      for (const sheet of [...root.styleSheets, ...adopted]) this.#sheet(sheet, this.#bits);
    }
  }

  #sheet(sheet: CSSStyleSheet, bits: number): void {
    if (this.#seen.has(sheet)) return;
    this.#seen.add(sheet);
    this.#list(sheet.media, bits);
    this.#rules(rulesOf(sheet), bits);
  }

  #rules(rules: Iterable<CSSRule>, bits: number): void {
    for (const rule of rules) {
      const { media, styleSheet } = rule as CSSImportRule;
      if (media) this.#list(media, bits);
      if (styleSheet) this.#sheet(styleSheet, bits);
      const { cssRules: inner, style } = rule as CSSGroupingRule & CSSStyleRule;
      if (style?.length) this.#pictures(rule as CSSStyleRule);
      if (inner?.length) this.#rules(inner, bits);
    }
  }

  #pictures(rule: CSSStyleRule): void {
    for (const name of PICTURES) {
      const written = this.#sets.get(rule)?.get(name) ?? rule.style.getPropertyValue(name);
      if (!written.includes("image-set(")) continue;
      const sets = this.#sets.get(rule) ?? new Map<string, string>();
      this.#sets.set(rule, sets.set(name, written));
      rule.style.setProperty(name, chosenFor(this.#ratio, written), rule.style.getPropertyPriority(name));
    }
  }

  #list(list: MediaList, bits: number): void {
    const text = this.#texts.get(list) ?? list.mediaText;
    const now = answered(text, bits, this.#ratio);
    if (now === text && !this.#texts.has(list)) return;
    this.#texts.set(list, text);
    list.mediaText = now;
  }
}

/** A sheet that could not be had does not let anybody look for its rules. */
function rulesOf(sheet: CSSStyleSheet): Iterable<CSSRule> {
  try {
    return sheet.cssRules;
  } catch {
    return [];
  }
}
