/**
 * Lets the page's rules for `:hover` hold where the agent points: scripts can not bring that state about.
 *
 * A sheet of those rules alone that would hold there, adopted for as long as they do, in which the elements stand by their place in
 * the tree: no element of the page is touched, and where no rule is concerned no sheet is there. Not reached: rules of other
 * origins, which no script may read, and what `:not(:hover)` takes away.
 */

import { parentAcross } from "./dom.ts";
import { guarded } from "./guarded.ts";
import { type Realm, realmOf } from "./realms.ts";

/** Rules for `:hover` of one root that are looked at. */
const MOST = 3000;
/** How often the page may have changed below the pointer, in milliseconds. */
const LOOK = 500;
/** The weight of a pseudo-class, and holds always. */
const ALWAYS = ":nth-child(n)";
const HOVER = /:hover(?![\w-])/g;

type Root = Document | ShadowRoot;

interface Rule {
  /** Matches what has to be hovered. */
  readonly reach: string;
  readonly selector: string;
  /** The rule with another selector. */
  text(selector: string): string;
}

/** The rules where the agent points. */
export class HoverStyles {
  readonly #adopted = new Map<Root, { sheet: CSSStyleSheet; css: string }>();
  readonly #known = new WeakMap<Root, { stamp: string; rules: Rule[] }>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #element: Element | null = null;

  /** `own` is told of every sheet before a root adopts it. */
  constructor(readonly own: (sheet: CSSStyleSheet) => void) {}

  /** The agent points at `element`, or at nothing. */
  show(element: Element | null): void {
    this.#element = element?.isConnected ? element : null;
    const chains = new Map<Root, Element[]>();
    for (let at = this.#element; at; at = parentAcross(at)) {
      const root = at.getRootNode() as Root;
      chains.set(root, [...(chains.get(root) ?? []), at]);
    }
    for (const root of this.#adopted.keys()) if (!chains.has(root)) this.#set(root, "");
    for (const [root, chain] of chains) this.#set(root, guarded(() => this.#css(root, chain)) ?? "");
    clearInterval(this.#timer);
    if (this.#adopted.size > 0) this.#timer = setInterval(() => this.show(this.#element), LOOK);
  }

  #css(root: Root, chain: readonly Element[]): string {
    const [innermost] = chain;
    const rules = this.#rules(root, innermost ? realmOf(innermost) : window);
    const reached = rules.filter(({ reach }) => innermost?.closest(reach));
    if (reached.length === 0) return "";
    const hovered = `${ALWAYS}:where(${chain.map((element) => path(root, element)).join()})`;
    return reached.map(({ selector, text }) => text(selector.replace(HOVER, hovered))).join("\n");
  }

  #rules(root: Root, realm: Realm): readonly Rule[] {
    const own = this.#adopted.get(root)?.sheet;
    const sheets = [...root.styleSheets, ...(root.adoptedStyleSheets ?? [])].filter(
      (sheet) => sheet !== own && !sheet.disabled,
    );
    const lists = sheets.map((sheet) => guardedRules(sheet));
    const stamp = lists.map((rules) => rules?.length ?? -1).join();
    const known = this.#known.get(root);
    if (known?.stamp === stamp) return known.rules;
    const rules: Rule[] = [];
    for (const [index, list] of lists.entries()) {
      const media = sheets[index]?.media.mediaText;
      if (list && (!media || realm.matchMedia(media).matches)) gather(list, realm, null, (css) => css, rules);
    }
    this.#known.set(root, { stamp, rules });
    return rules;
  }

  #set(root: Root, css: string): void {
    const adopted = this.#adopted.get(root);
    if ((adopted?.css ?? "") === css) return;
    guarded(() => {
      const others = root.adoptedStyleSheets.filter((sheet) => sheet !== adopted?.sheet);
      if (!css) {
        this.#adopted.delete(root);
        root.adoptedStyleSheets = others;
        return;
      }
      const realm = (root.ownerDocument ?? (root as Document)).defaultView as Realm;
      const sheet = adopted?.sheet ?? new realm.CSSStyleSheet();
      this.own(sheet);
      sheet.replaceSync(css);
      this.#adopted.set(root, { sheet, css });
      if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...others, sheet];
    });
  }
}

function guardedRules(sheet: CSSStyleSheet | null): CSSRuleList | null {
  try {
    return sheet?.cssRules ?? null;
  } catch {
    // Of another origin.
    return null;
  }
}

/** Takes the rules for `:hover` out of a list, with what is around them. */
function gather(
  list: CSSRuleList,
  realm: Realm,
  parent: string | null,
  wrap: (css: string) => string,
  into: Rule[],
): void {
  for (const rule of list) {
    if (into.length >= MOST) return;
    const { selectorText, cssRules, conditionText, name, media, styleSheet } = rule as CSSStyleRule &
      Partial<CSSMediaRule & CSSLayerBlockRule & { styleSheet: CSSStyleSheet | null }>;
    const kind = rule.constructor.name;
    if (selectorText !== undefined) {
      const around = parent === null ? selectorText : nested(selectorText, parent);
      const body = rule.cssText.slice(selectorText.length);
      for (const selector of split(around)) {
        const reach = selector.match(HOVER) && !/:not\([^)]*:hover/.test(selector) ? reachOf(selector) : "";
        if (reach) into.push({ reach, selector, text: (by) => wrap(by + body) });
      }
      if (cssRules?.length) gather(cssRules, realm, around, wrap, into);
    } else if (kind === "CSSImportRule") {
      const inner = guardedRules(styleSheet ?? null);
      const holds = !media?.mediaText || realm.matchMedia(media.mediaText).matches;
      if (inner && holds) gather(inner, realm, parent, wrap, into);
    } else if (kind === "CSSMediaRule") {
      if (realm.matchMedia(media?.mediaText ?? "").matches) gather(cssRules, realm, parent, wrap, into);
    } else if (kind === "CSSSupportsRule") {
      if (CSS.supports(conditionText ?? "")) gather(cssRules, realm, parent, wrap, into);
    } else if (kind === "CSSLayerBlockRule" && name) {
      gather(cssRules, realm, parent, (css) => wrap(`@layer ${name}{${css}}`), into);
    } else if (kind === "CSSContainerRule") {
      gather(cssRules, realm, parent, (css) => wrap(`@container ${conditionText}{${css}}`), into);
    }
  }
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
  let end = selector.length;
  for (const at of outside(selector)) {
    if (at > last && /[\s>+~]/.test(selector[at] ?? "")) {
      end = at;
      break;
    }
  }
  const reach = selector.slice(0, end).replace(HOVER, ALWAYS);
  return reach.replace(/::?(before|after|first-line|first-letter)$|::[\w-]+(\([^)]*\))?$/, "");
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

/** A selector of this element alone. */
function path(root: Root, element: Element): string {
  const steps: string[] = [];
  for (let at: Element | null = element; at; at = at.parentElement) {
    if (at.id && root.getElementById(at.id) === at) {
      steps.unshift(`#${CSS.escape(at.id)}`);
      return steps.join(">");
    }
    let place = 1;
    for (let before = at.previousElementSibling; before; before = before.previousElementSibling) place++;
    steps.unshift(`:nth-child(${place})`);
  }
  return `${root.nodeType === Node.DOCUMENT_NODE ? ":root" : ":host"}>${steps.slice(root.nodeType === Node.DOCUMENT_NODE ? 1 : 0).join(">")}`.replace(
    />$/,
    "",
  );
}
