/**
 * The rules of style sheets as those need them who bring `:hover` about: one for each selector, in the order of the cascade.
 *
 * Not read: rules of other origins, which no script may read, in `@scope` and in layers without a name. What `:not(:hover)`
 * takes away, and what asks for the state of a part of an element (`::part(x):hover`), can not be brought about.
 */

import type { Realm } from "./realms.ts";

/** Rules of one root that are looked at. */
const MOST = 20_000;
/** The weight of a pseudo-class, and holds always. */
const ALWAYS = ":nth-child(n)";
const HOVER = /:hover(?![\w-])/g;
/** A name as browsers write it in selectors. */
const NAME = String.raw`(?:\\[\da-f]{1,6} ?|\\.|[\w-]|[^\0-\x7f])+`;
/** What a compound selector begins with: a tag, a class or an id. */
const KEY = new RegExp(`^([a-z][\\w-]*)?([.#]${NAME})?`, "i");

/** A rule with one of its selectors. */
export interface Rule {
  readonly selector: string;
  /** Matches what has to be hovered; empty where nothing has, or it can not be brought about. */
  readonly reach: string;
  /** A tag, class or id without which no element is meant; empty where there is none. */
  readonly key: string;
  /** The rule with another selector. */
  text(selector: string): string;
}

/** The rules of a sheet; none where they may not be read. */
export function guardedRules(sheet: CSSStyleSheet | null): CSSRuleList | null {
  try {
    return sheet?.cssRules ?? null;
  } catch {
    // Of another origin.
    return null;
  }
}

/** Takes the rules that hold in `realm` out of a list, with what is around them. */
export function readRules(
  list: CSSRuleList,
  realm: Realm,
  into: Rule[],
  parent: string | null = null,
  wrap: (css: string) => string = (css) => css,
): void {
  const inside = (inner: CSSRuleList, around = wrap): void => readRules(inner, realm, into, parent, around);
  for (const rule of list) {
    if (into.length >= MOST) return;
    const { selectorText, cssRules, conditionText, name } = rule as CSSStyleRule &
      Partial<CSSConditionRule & CSSLayerBlockRule>;
    const kind = rule.constructor.name;
    if (selectorText !== undefined) {
      const around = parent === null ? selectorText : nested(selectorText, parent);
      add(around, () => declarations(rule as CSSStyleRule), wrap, into);
      if (cssRules?.length) readRules(cssRules, realm, into, around, wrap);
    } else if (kind === "CSSNestedDeclarations") {
      if (parent !== null) add(parent, () => `{${rule.cssText}}`, wrap, into);
    } else if (kind === "CSSImportRule") {
      const { media, styleSheet, layerName } = rule as CSSImportRule;
      const inner = guardedRules(styleSheet);
      const holds = !media?.mediaText || realm.matchMedia(media.mediaText).matches;
      if (inner && holds && layerName !== "")
        inside(inner, layerName ? (css) => wrap(`@layer ${layerName}{${css}}`) : wrap);
    } else if (kind === "CSSMediaRule") {
      if (realm.matchMedia(conditionText ?? "").matches) inside(cssRules);
    } else if (kind === "CSSSupportsRule") {
      if (CSS.supports(conditionText ?? "")) inside(cssRules);
    } else if (kind === "CSSLayerBlockRule" && name) {
      inside(cssRules, (css) => wrap(`@layer ${name}{${css}}`));
    } else if (kind === "CSSContainerRule") {
      inside(cssRules, (css) => wrap(`@container ${conditionText}{${css}}`));
    }
  }
}

/** A selector that says of what is at these places that it is hovered. */
export function hovered(selector: string, places: string): string {
  return selector.replace(HOVER, `${ALWAYS}:where(${places})`);
}

/** A selector of the elements that these are about, or about parts of which. */
export function subjects(selectors: readonly string[]): string {
  return selectors.map((selector) => selector.slice(0, endOf(selector))).join();
}

/** A selector for nothing but such elements; it weighs what it did. */
export function only(selector: string, elements: string): string {
  const end = endOf(selector);
  return `${selector.slice(0, end)}:where(${elements})${selector.slice(end)}`;
}

/** Tags, classes and ids of elements, as {@link Rule.key} has them. */
export function keysOf(elements: readonly Element[]): Set<string> {
  const keys = new Set<string>();
  for (const { localName, id, classList } of elements) {
    keys.add(localName.toLowerCase());
    if (id) keys.add(`#${CSS.escape(id)}`);
    for (const name of classList) keys.add(`.${CSS.escape(name)}`);
  }
  return keys;
}

function add(list: string, body: () => string, wrap: (css: string) => string, into: Rule[]): void {
  for (const selector of split(list)) {
    const asks = selector.includes(":hover") && selector.match(HOVER);
    const reach = asks && !/:not\([^)]*:hover|::.*:hover/.test(selector) ? reachOf(selector) : "";
    into.push({ selector, reach, key: keyOf(selector), text: (by) => wrap(by + body()) });
  }
}

/** What a rule says itself, without the rules in it. Its `style` would do, but who reads that is taken to change it. */
function declarations({ cssText, selectorText, cssRules }: CSSStyleRule): string {
  const body = cssText.slice(selectorText.length);
  const [inner] = cssRules ?? [];
  const at = inner ? body.indexOf(inner.cssText.slice(0, inner.cssText.indexOf("{") + 1), 2) : -1;
  return at > 0 ? `${body.slice(0, at)}}` : body;
}

/** CSS Nesting: what a selector in a rule means. */
function nested(selector: string, parent: string): string {
  const all = split(selector).map((part) =>
    part.includes("&") ? part.replaceAll("&", `:is(${parent})`) : `:is(${parent}) ${part}`,
  );
  return all.join();
}

/** The selectors of a list. */
function split(list: string): string[] {
  if (!list.includes(",")) return [list];
  const parts: string[] = [];
  let start = 0;
  for (const at of outside(list)) {
    if (list[at] !== ",") continue;
    parts.push(list.slice(start, at).trim());
    start = at + 1;
  }
  return [...parts, list.slice(start).trim()];
}

/** What has to be hovered: the selector up to the last element of which it says so. */
function reachOf(selector: string): string {
  const last = selector.lastIndexOf(":hover");
  let end = endOf(selector);
  for (const at of outside(selector)) {
    if (at > last && /[\s>+~]/.test(selector[at] ?? "")) {
      end = at;
      break;
    }
  }
  return selector.slice(0, end).replace(HOVER, ALWAYS);
}

function keyOf(selector: string): string {
  const end = endOf(selector);
  let start = 0;
  for (const at of outside(selector)) {
    if (at >= end) break;
    if (/[\s>+~]/.test(selector[at] ?? "")) start = at + 1;
  }
  const [, tag, name] = KEY.exec(selector.slice(start, end)) ?? [];
  return name ?? tag?.toLowerCase() ?? "";
}

/** Where the part of an element that is meant begins, `::before` say; the length where there is none. */
function endOf(selector: string): number {
  if (!selector.includes(":")) return selector.length;
  for (const at of outside(selector)) {
    if (
      selector[at] === ":" &&
      /^:(:|(before|after|first-line|first-letter)(?![\w-]))/.test(selector.slice(at, at + 16))
    )
      return at;
  }
  return selector.length;
}

/** The places of a selector that are in no brackets and no string. */
function* outside(selector: string): Generator<number> {
  let depth = 0;
  let quote = "";
  for (let at = 0; at < selector.length; at++) {
    const character = selector[at] ?? "";
    if (character === "\\") at++;
    else if (quote) quote = character === quote ? "" : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === "(" || character === "[") depth++;
    else if (character === ")" || character === "]") depth--;
    else if (depth === 0) yield at;
  }
}
