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

/** What is listened to in every window. */
interface Listening {
  readonly type: string;
  readonly listener: (event: never) => void;
}

/** All windows of this page. */
export class Realms {
  readonly #windows = new Set<Realm>([window]);
  /** One object of each realm that was set up: a window outlives its documents. */
  readonly #done = new WeakSet<object>();
  readonly #setups: Array<(realm: Realm) => void> = [];
  readonly #all = new Set<Listening>();

  /** Does `setup` in every realm. */
  each(setup: (realm: Realm) => void): void {
    this.#setups.push(setup);
    for (const realm of this.#windows) setup(realm);
    this.#done.add(window.Element);
  }

  /** Listens in every window, before the page's own listeners; `signal` ends it. */
  listen<K extends keyof WindowEventMap>(
    type: K,
    listener: (event: WindowEventMap[K]) => void,
    signal?: AbortSignal,
  ): void {
    const listening = { type, listener };
    this.#all.add(listening);
    for (const realm of this.#windows) hear(realm, listening);
    // Not by the browser's own option for it: see `until`.
    signal?.addEventListener("abort", () => {
      this.#all.delete(listening);
      for (const realm of this.#windows)
        guarded(() => realm.removeEventListener(type, listener as EventListener, true));
    });
  }

  /** A document of the page is shared: again when it was replaced, which takes its listeners away. */
  enter(document: Document): void {
    const realm = document.defaultView as Realm | null;
    if (!realm) return;
    for (const known of this.#windows) if (known.closed) this.#windows.delete(known);
    this.#windows.add(realm);
    for (const listening of this.#all) hear(realm, listening);
    if (this.#done.has(realm.Element)) return;
    this.#done.add(realm.Element);
    for (const setup of this.#setups) guarded(() => setup(realm));
  }
}

/** A listener is only ever added once. */
function hear(realm: Realm, { type, listener }: Listening): void {
  realm.addEventListener(type, listener as EventListener, true);
}
