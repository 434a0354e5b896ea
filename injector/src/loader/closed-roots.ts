/**
 * Remembers the shadow roots that the page closes, and holds forms back: from its first script on, in every window that has the
 * loader.
 *
 * Nothing of it is reached from the page's objects; who asks by the mark below is given what is kept.
 */

/** What is kept in one window. */
export interface ClosedRoots {
  readonly roots: WeakMap<Element, ShadowRoot>;
  /** Whether there are any. */
  some: boolean;
  /** Told of every root that is attached. */
  attached: ((host: Element, root: ShadowRoot) => void) | null;
  /** Asked before a script submits a form, which no event tells. */
  maySubmit: (() => boolean) | null;
}

/** `attachShadow` called with this in place of options answers what is kept: so the bundle asks the windows of frames too. */
const ASK = Symbol.for("tandem");
/** As they are before the page's scripts run. */
const { apply } = Reflect;
const { set } = WeakMap.prototype;

/** Begins to keep them; once for each window. */
export function keepClosedRoots(): void {
  const kept: ClosedRoots = { roots: new WeakMap(), some: false, attached: null, maySubmit: null };
  const keep = (host: Element, root: ShadowRoot | null): void => {
    if (!root) return;
    apply(set, kept.roots, [host, root]);
    kept.some = true;
  };
  patch(Element.prototype, "attachShadow", (host, args, attach) => {
    if (args[0] === ASK) return kept;
    const root = attach() as ShadowRoot;
    keep(host, root);
    kept.attached?.(host, root);
    return root;
  });
  // Closed roots that were written as markup are given to custom elements alone.
  patch(HTMLElement.prototype, "attachInternals", (host, _, attach) => {
    const internals = attach() as ElementInternals;
    keep(host, internals.shadowRoot);
    return internals;
  });
  patch(HTMLFormElement.prototype, "submit", (_, __, submit) =>
    kept.maySubmit?.() === false ? undefined : submit(),
  );
}

/** What is kept in the window of these elements, if it has the loader. */
export function closedRoots(realm: { Element: typeof Element; document: Document }): ClosedRoots | null {
  try {
    const answer: unknown = apply(realm.Element.prototype.attachShadow, realm.document.documentElement, [
      ASK,
    ]);
    return (answer as ClosedRoots | null)?.roots ? (answer as ClosedRoots) : null;
  } catch {
    return null;
  }
}

function patch(
  owner: object,
  name: string,
  call: (self: Element, args: unknown[], native: () => unknown) => unknown,
): void {
  const property = Object.getOwnPropertyDescriptor(owner, name);
  if (!property?.configurable) return;
  property.value = new Proxy(property.value, {
    apply: (native, self, args) => call(self, args, () => apply(native, self, args)),
  });
  Object.defineProperty(owner, name, property);
}
