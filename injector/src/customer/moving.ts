/**
 * Notices that the page animates. What tells the server how far its animations are is loaded only where it does.
 */

import type { MakeMotion, Motion } from "../motion/motion.ts";
import type { Writer } from "../wire/writer.ts";
import { hook } from "./hooks.ts";
import type { KnownNodes } from "./known.ts";
import type { Realm } from "./realms.ts";
import type { Withholding } from "./withhold.ts";

/** The animations of one epoch. */
export class Moving {
  /** What was noted before there was somebody to tell it. */
  readonly #early = new Set<Node>();
  #asked = false;
  #stopped = false;
  #motion: Motion | null = null;

  /** `load` brings what tells of them; `changed` is called when there is something new to write. */
  constructor(
    readonly known: KnownNodes,
    readonly withholding: Withholding,
    readonly load: () => Promise<MakeMotion>,
    readonly changed: () => void,
  ) {}

  /** Looks whether something is animated already. */
  look(roots: Iterable<Document | ShadowRoot>): void {
    for (const root of roots) if (root.getAnimations().length > 0) this.note(root);
  }

  /** Something may have begun to move in a root, or moves otherwise than before. */
  note(root: Node): void {
    if (!this.known.id(root)) return;
    if (this.#motion) this.#motion.note(root);
    else this.#early.add(root);
    if (this.#asked) return;
    this.#asked = true;
    this.load().then(
      (make) => {
        if (this.#stopped) return;
        this.#motion = make(this.known, this.withholding, this.changed);
        for (const root of this.#early) this.#motion.note(root);
        this.#early.clear();
      },
      () => {
        this.#asked = false;
      },
    );
  }

  /** Stops watching. */
  stop(): void {
    this.#stopped = true;
    this.#motion?.stop();
  }

  /** Somebody sees the page who did not: all is told anew. */
  anew(): void {
    this.#motion?.anew();
  }

  /** Whether there may be something to tell that no event told. */
  moved(): boolean {
    return !!this.#motion?.moved();
  }

  /** Tells what changed. */
  write(out: Writer): void {
    this.#motion?.write(out);
  }
}

/** Hooks into what scripts do with animations. `moves` is told in which root. */
export function hookMotion(realm: Realm, moves: (root: Node) => void): void {
  hook(realm.Element.prototype, "animate", { after: (self) => moves((self as Element).getRootNode()) });
  const after = (self: unknown): void => {
    const { target } = ((self as Animation).effect ?? self) as Partial<KeyframeEffect>;
    if (target) moves(target.getRootNode());
  };
  for (const name of CHANGED) {
    for (const owner of [realm.Animation, realm.AnimationEffect, realm.KeyframeEffect])
      hook(owner.prototype, name, { after });
  }
}

const CHANGED =
  "play,pause,reverse,finish,cancel,updatePlaybackRate,currentTime,startTime,playbackRate,updateTiming,setKeyframes".split(
    ",",
  );
