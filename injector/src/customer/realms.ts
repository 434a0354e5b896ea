/**
 * The windows of the page, its own and those of its frames: what is to be done in each of them, once.
 *
 * A frame's window is known only while a session shares what is in it.
 */

import { guarded } from "./guarded.ts";

/** A window with its own set of the language's and the browser's objects. */
export type Realm = Window & typeof globalThis;

/** The realm of an element: what is sent to it must be an event of its own kind. */
export function realmOf(element: Element): Realm {
  return (element.ownerDocument.defaultView as Realm | null) ?? window;
}

type Listener = (event: never) => void;

/** All windows of this page. */
export class Realms {
  readonly #windows = new Set<Realm>([window]);
  /** One object of each realm that was set up: a window outlives its documents. */
  readonly #done = new WeakSet<object>();
  readonly #setups: Array<(realm: Realm) => void> = [];
  readonly #listeners = new Set<{ type: string; listener: Listener; capture: boolean }>();

  /** Does `setup` in every realm. */
  each(setup: (realm: Realm) => void): void {
    this.#setups.push(setup);
    for (const realm of this.#windows) setup(realm);
    this.#done.add(window.Element);
  }

  /** Listens in every window; the same arguments end it. */
  listen<K extends keyof WindowEventMap>(
    type: K,
    listener: (event: WindowEventMap[K]) => void,
    capture: boolean,
  ): () => void {
    const entry = { type, listener, capture };
    this.#listeners.add(entry);
    for (const realm of this.#windows) hear(realm, entry);
    return () => {
      this.#listeners.delete(entry);
      for (const realm of this.#windows) {
        guarded(() => realm.removeEventListener(type, listener as EventListener, { capture }));
      }
    };
  }

  /** A document of the page is shared: again when it was replaced, which takes its listeners away. */
  enter(document: Document): void {
    const realm = document.defaultView as Realm | null;
    if (!realm) return;
    for (const known of this.#windows) if (known.closed) this.#windows.delete(known);
    this.#windows.add(realm);
    for (const entry of this.#listeners) hear(realm, entry);
    if (this.#done.has(realm.Element)) return;
    this.#done.add(realm.Element);
    for (const setup of this.#setups) guarded(() => setup(realm));
  }
}

/** A listener is only ever added once. */
function hear(realm: Realm, entry: { type: string; listener: Listener; capture: boolean }): void {
  const { type, listener, capture } = entry;
  realm.addEventListener(type, listener as EventListener, {
    capture,
    passive: type !== "submit" && type !== "click",
  });
}
