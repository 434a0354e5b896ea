/**
 * Lets the page's rules for `:hover` hold where the agent points: scripts can not bring that state about.
 *
 * A sheet of those rules that would hold there, adopted for as long as they do, in which the elements stand by their place in
 * the tree: no element of the page is touched, and where no rule is concerned no sheet is there. It comes after all sheets of
 * the page; so that the cascade stays, what comes after the first of those rules comes again after it, for the elements that
 * they are about.
 */

import { parentAcross } from "./dom.ts";
import { guarded } from "./guarded.ts";
import { guardedRules, hovered, keysOf, only, type Rule, readRules, subjects } from "./hover-rules.ts";
import { type Realm, realmOf } from "./realms.ts";

/** How often the page may have changed below the pointer, in milliseconds. */
const LOOK = 500;
/** Elements that a rule is about whose names are looked at; and that are named each by its place. */
const MOST = 2000;
const FEW = 30;
/** Longest sheet, in UTF-16 units. */
const LONGEST = 256 * 1024;

type Root = Document | ShadowRoot;

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
    const reached = new Set(rules.filter(({ reach }) => reach && innermost?.closest(reach)));
    if (reached.size === 0) return "";
    const places = chain.map((element) => path(root, element)).join();
    const all = subjects([...reached].map(({ selector }) => hovered(selector, places)));
    const concerned = [...root.querySelectorAll(all)].slice(0, MOST);
    const few = concerned.length <= FEW ? concerned.map((element) => path(root, element)).join() : all;
    const limit = few.length < all.length ? few : all;
    const keys = keysOf(concerned);
    let css = "";
    for (const rule of rules) {
      const { selector, key } = rule;
      if (reached.has(rule)) css += `${rule.text(hovered(selector, places))}\n`;
      else if (css && css.length < LONGEST && (!key || keys.has(key)))
        css += `${rule.text(only(selector, limit))}\n`;
    }
    return css;
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
      if (list && (!media || realm.matchMedia(media).matches)) readRules(list, realm, rules);
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
