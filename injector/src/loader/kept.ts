/**
 * Remembers what the browser tells nobody later (closed shadow roots, what fonts and properties are made of), and holds forms
 * back: from the page's first script on, in every window that has the loader.
 *
 * Nothing of it is reached from the page's objects; who asks by the mark below is given what is kept.
 */

/** What is kept in one window. */
export interface Kept {
  /** Also those of the windows in it that its script can reach: what is made in one may be taken to another. */
  readonly roots: WeakMap<Element, ShadowRoot>;
  /** Whether there are any. */
  some: boolean;
  /** Keeps the root of an element, if it has one. */
  keep(host: Element, root: ShadowRoot | null): void;
  /** Told of every root that is attached. */
  attached: ((host: Element, root: ShadowRoot) => void) | null;
  /** What the fonts were made of that scripts have made, but for those made of bytes. */
  readonly fonts: WeakMap<FontFace, string>;
  /** What scripts have registered. */
  readonly properties: PropertyDefinition[];
  /** As it was before the page's scripts ran: some put their own in its place. */
  readonly observer: typeof MutationObserver;
  /** Asked before a script submits a form, which no event tells. */
  maySubmit: ((form: Element) => boolean) | null;
}

/** `attachShadow` called with this in place of options answers what is kept: so the bundle asks the windows of frames too. */
const ASK = Symbol.for("tandem");
/** Sources of fonts from this length on, in UTF-16 units, are not kept: they hold the font itself, and could not be told. */
const LONGEST = 1 << 20;
/** As they are before the page's scripts run. */
const { apply, construct } = Reflect;
const { set } = WeakMap.prototype;

/** Begins to keep it; once for each window. */
export function keep(): void {
  const outer = around();
  const kept: Kept = {
    roots: new WeakMap(),
    some: false,
    keep(host, root) {
      if (!root) return;
      apply(set, kept.roots, [host, root]);
      kept.some = true;
      outer?.keep(host, root);
    },
    attached: null,
    fonts: new WeakMap(),
    properties: [],
    observer: MutationObserver,
    maySubmit: null,
  };
  patch(Element.prototype, "attachShadow", (host, args, attach) => {
    if (args[0] === ASK) return kept;
    const root = attach() as ShadowRoot;
    kept.keep(host, root);
    kept.attached?.(host, root);
    return root;
  });
  // Closed roots that were written as markup are given to custom elements alone.
  patch(HTMLElement.prototype, "attachInternals", (host, _, attach) => {
    const internals = attach() as ElementInternals;
    kept.keep(host, internals.shadowRoot);
    return internals;
  });
  patch(HTMLFormElement.prototype, "submit", (form, _, submit) =>
    kept.maySubmit?.(form) === false ? undefined : submit(),
  );
  patch(CSS, "registerProperty", (_, [property], register) => {
    register();
    // As it is now: a script may change the object.
    kept.properties[kept.properties.length] = { ...(property as PropertyDefinition) };
  });
  replace(window, "FontFace", {
    construct(native, args, self) {
      const face = construct(native, args, self) as FontFace;
      if (typeof args[1] === "string" && args[1].length < LONGEST) apply(set, kept.fonts, [face, args[1]]);
      return face;
    },
  });
}

/** What is kept in this window, if it has the loader. */
export function keptIn(realm: { Element: typeof Element; document: Document }): Kept | null {
  try {
    const answer: unknown = apply(realm.Element.prototype.attachShadow, realm.document.documentElement, [
      ASK,
    ]);
    return (answer as Kept | null)?.roots ? (answer as Kept) : null;
  } catch {
    return null;
  }
}

/** What is kept in the nearest window around this one that has the loader. */
function around(): Kept | null {
  for (let at: Window = window; at !== at.parent; ) {
    at = at.parent;
    const kept = keptIn(at as Window & typeof globalThis);
    if (kept) return kept;
  }
  return null;
}

function patch(
  owner: object,
  name: string,
  call: (self: Element, args: unknown[], native: () => unknown) => unknown,
): void {
  replace(owner, name, {
    apply: (native, self, args) => call(self, args, () => apply(native, self, args)),
  });
}

/** Puts a proxy in the place of what the browser has, if it has it. */
// biome-ignore lint/complexity/noBannedTypes: what proxies take
function replace(owner: object, name: string, handler: ProxyHandler<Function>): void {
  const property = Object.getOwnPropertyDescriptor(owner, name);
  if (!property?.configurable) return;
  property.value = new Proxy(property.value, handler);
  Object.defineProperty(owner, name, property);
}
