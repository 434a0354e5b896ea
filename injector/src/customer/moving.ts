/**
 * Notices that the page animates. What tells the server how far its animations are is loaded only where it does.
 */

import type { MakeMotion, Motion } from "../motion/motion.ts";
import type { Writer } from "../wire/writer.ts";
import { hook } from "./hooks.ts";
import type { KnownNodes } from "./known.ts";
import type { Realm } from "./realms.ts";
import type { Withholding } from "./withhold.ts";

/** So much is noted of what is not told yet. */
const EARLY = 200;

/** The animations of one epoch. */
export class Moving {
  /** What was noted before there was somebody to tell it: what scripts did something to, or the root alone. */
  readonly #early = new Map<object, Node>();
  #asked = false;
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

  /** Something may have begun to move in a root, or moves otherwise than before: `what` a script did something to. */
  note(root: Node, what: object = root): void {
    if (!this.known.id(root)) return;
    if (this.#motion) this.#motion.note(root, what);
    else if (this.#early.size < EARLY) this.#early.set(what, root);
    if (this.#asked) return;
    this.#asked = true;
    this.load().then(
      (make) => {
        this.#motion = make(this.known, this.withholding, this.changed, this.#early);
      },
      () => {
        this.#asked = false;
      },
    );
  }

  /** Stops watching. */
  stop(): void {
    this.#early.clear();
    this.#motion?.stop();
  }

  /** Somebody sees the page who did not: all is told anew. */
  anew(roots: Iterable<Document | ShadowRoot>): void {
    this.look(roots);
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

/** Hooks into what scripts do with animations. `moves` is told in which root, and to which of them or its effect. */
export function hookMotion(realm: Realm, moves: (root: Node, what?: object) => void): void {
  // What `animate` makes, or whose method or property it is: the others return nothing.
  const after = (self: unknown, made: unknown): void => {
    const what = (made ?? self) as object;
    const { target } = ((what as Animation).effect ?? what) as Partial<KeyframeEffect>;
    if (target) moves(target.getRootNode(), what);
  };
  for (const name of CHANGED) {
    for (const owner of [realm.Element, realm.Animation, realm.AnimationEffect, realm.KeyframeEffect])
      hook(owner.prototype, name, { after });
  }
}

const CHANGED =
  "finish,cancel,animate,play,pause,reverse,updateTiming,setKeyframes,updatePlaybackRate,playbackRate,currentTime,startTime".split(
    ",",
  );
