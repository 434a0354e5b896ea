/**
 * The documents of other hosts of the site around this one and in its frames: they are told who acts before anything comes of it,
 * because a page may answer to what another one tells it.
 *
 * Messages from one window to another come in the order in which they were sent; so what a page says because of an action is
 * heard after this. Who is told tells the others.
 */

import type { Deed } from "../loader/bridge.ts";
import type { ActingSession } from "./acting.ts";
import { guarded } from "./guarded.ts";

/** Those of one document. */
export class Neighbours {
  /** `heard` is told what they say. */
  constructor(
    readonly session: () => Pick<ActingSession, "guests" | "around"> | null,
    heard: (deed: Deed) => void,
  ) {
    addEventListener("message", ({ data, origin, source }) => {
      const deed = data as Deed | null;
      if (deed?.tandem !== "acts" && deed?.tandem !== "hand") return;
      guarded(() => {
        if (!this.#all().some(([view, from]) => view === source && from === origin)) return;
        heard(deed);
        this.tell(deed, source);
      });
    });
  }

  /** Tells all of them but the one who has said it. */
  tell(deed: Deed, but: MessageEventSource | null = null): void {
    for (const [view, origin] of this.#all()) if (view !== but) view.postMessage(deed, origin);
  }

  #all(): Array<[Window, string]> {
    const { guests, around } = this.session() ?? {};
    const there = guests?.there() ?? [];
    return around ? [[around.page, around.origin], ...there] : there;
  }
}
