/**
 * What an agent's action may not lead to: a form that leaves without leave, and what only a real gesture may do.
 *
 * It holds while the action runs and for a while after it, for what the page does later because of it; a real gesture of the
 * customer ends that at once. Calls that browsers refuse without a gesture are refused here too where the customer happens to
 * have made one just before: it was not meant for this.
 */

import { keptIn } from "../loader/kept.ts";
import { closestAcross, isElement, observer, parentAcross, type Roots } from "./dom.ts";
import { guarded } from "./guarded.ts";
import { hook } from "./hooks.ts";
import { Neighbours } from "./neighbours.ts";
import type { Realm, Realms } from "./realms.ts";

/** So long what a page does can still be because of an action, in milliseconds: it may have to fetch something first. The server has
 * the same of files that come. */
const AFTERMATH = 10_000;
/** What a press on it does needs a real one. */
export const BY_HAND = "input[type=file],a[download],area[download]";

/** What was kept from happening. */
export type Kept = "disabled" | "needs_customer";

/** An action and what it leads to. */
interface Run {
  readonly submits: boolean;
  /** The only form that it submits; null for whatever its button leads to. */
  readonly only: Element | null;
  /** Tells what was kept from happening; it may be after the answer. */
  readonly kept: (what: Kept) => void;
}

/** Calls that need a gesture, by the name of what has them: refused, or called to see whether the browser refuses. */
const CALLS: ReadonlyArray<
  readonly [owner: string, names: readonly string[], how: "reject" | "throw" | "try"]
> = [
  ["Element", ["requestFullscreen", "requestPointerLock"], "reject"],
  ["HTMLVideoElement", ["requestPictureInPicture"], "reject"],
  ["HTMLInputElement", ["showPicker"], "throw"],
  ["HTMLSelectElement", ["showPicker"], "throw"],
  ["PaymentRequest", ["show"], "reject"],
  ["Navigator", ["share"], "reject"],
  ["Clipboard", ["read", "readText"], "reject"],
  ["Clipboard", ["write", "writeText"], "try"],
];

/** With these the customer begins something. */
const GESTURES = ["pointerdown", "keydown"] as const;

/** Those of a window itself. */
const PICKERS = ["showOpenFilePicker", "showSaveFilePicker", "showDirectoryPicker"];

/** The restraint of one page. */
export class Restraint {
  #running: Run | null = null;
  #last: { run: Run; since: number } | null = null;
  /** Windows in which forms are held back, by one of their objects. */
  readonly #held = new WeakSet<object>();
  /** Frames that come because of an action may have scripts of their own. */
  readonly #inserts = observer(() => {
    if (this.#run()) this.#holdIn(top as Realm);
    else this.#inserts.disconnect();
  });
  readonly #submit = (event: Event): void => this.#submits(event);
  readonly #gesture = (event: Event): void => {
    if (!event.isTrusted) return;
    if (this.#last) guarded(() => this.#neighbours.tell({ tandem: "hand" }));
    this.#last = null;
    guarded(this.pressed);
  };
  readonly #neighbours: Neighbours;

  /** `pressed` is told of every real gesture: the server has to know too. `kept`: what came of an action in another window. */
  constructor(
    realms: Realms,
    readonly roots: Roots,
    session: Neighbours["session"],
    readonly pressed: () => void,
    kept: Run["kept"],
  ) {
    this.#neighbours = new Neighbours(session, (deed) => {
      if (deed.tandem === "acts") this.#follow({ submits: deed.submits, only: null, kept });
      else this.#last = null;
    });
    realms.each((realm) => this.#watch(realm));
    realms.listen("submit", this.#submit);
    realms.listen("click", (event) => this.#clicks(event));
    for (const type of GESTURES) realms.listen(type, this.#gesture);
  }

  /** Does `work`; with `lasting` what comes of it later counts as well. */
  async during(run: Run, lasting: boolean, work: () => Promise<void>): Promise<void> {
    this.#running = run;
    if (lasting) {
      this.#follow(run);
      guarded(() => this.#neighbours.tell({ tandem: "acts", submits: run.submits && !run.only }));
    } else this.#holdIn(top as Realm);
    try {
      await work();
    } finally {
      this.#running = null;
      if (lasting) this.#last = { run, since: performance.now() };
    }
  }

  /** What happens from now on may be because of it. */
  #follow(run: Run): void {
    this.#last = { run, since: performance.now() };
    this.#holdIn(top as Realm);
    this.#inserts.observe(document, { childList: true, subtree: true });
  }

  #run(): Run | null {
    if (this.#running) return this.#running;
    return this.#last && performance.now() < this.#last.since + AFTERMATH ? this.#last.run : null;
  }

  #maySubmit(form: unknown): boolean {
    const run = this.#run();
    if (!run || (run.submits && (!run.only || run.only === form))) return true;
    run.kept("disabled");
    return false;
  }

  #submits(event: Event): void {
    if (this.#maySubmit(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** A script presses what only a person can: a field that is in the page. */
  #clicks(event: MouseEvent): void {
    const target = event.composedPath()[0] as Element;
    if (event.isTrusted || !isElement(target) || !target.matches("input[type=file]")) return;
    if (this.#needsHand()) event.preventDefault();
  }

  /** Whether it is because of an action, which then is told. */
  #needsHand(): boolean {
    const run = this.#run();
    run?.kept("needs_customer");
    return run !== null;
  }

  /** No form leaves a window: also one that is no realm, or not yet. */
  #hold(realm: Realm): void {
    if (this.#held.has(realm.HTMLFormElement)) return;
    this.#held.add(realm.HTMLFormElement);
    for (const type of GESTURES) realm.addEventListener(type, this.#gesture, true);
    // From before the page's first script where there is our loader.
    const kept = keptIn(realm);
    if (kept) {
      // A frame of another host between them, and it has a restraint of its own.
      const { maySubmit } = kept;
      kept.maySubmit = (form) => maySubmit?.(form) !== false && this.#maySubmit(form);
    } else hook(realm.HTMLFormElement.prototype, "submit", { before: (form) => this.#maySubmit(form) });

    const before = (self: unknown): true => {
      if (isElement(self) && this.#run()) this.#hear(self);
      return true;
    };
    hook(realm.HTMLFormElement.prototype, "requestSubmit", { before });
    hook(realm.HTMLElement.prototype, "click", { before });
    hook(realm.EventTarget.prototype, "dispatchEvent", { before });

    // A script may use the window of a frame that it has just made before anything is known of it. What puts frames into the page
    // is not hooked: for all that the site's policy forbids there, browsers would name us.
    const read = (_: unknown, value: unknown): void => {
      const view = (value as Document | null)?.defaultView ?? (value as Realm | null);
      if (view && this.#run()) this.#holdIn(view as Realm);
    };
    for (const owner of [realm.HTMLIFrameElement, realm.HTMLObjectElement]) {
      for (const name of ["contentWindow", "contentDocument"]) hook(owner.prototype, name, { read });
    }
    hook(realm, "frames", { read });
    hook(realm, "length", { read: () => this.#run() && this.#holdIn(realm) });
  }

  /** The same, and in all windows in it. */
  #holdIn(view: Realm): void {
    try {
      this.#hold(view);
    } catch {
      // It is of another origin, and its forms are none of this page's.
    }
    try {
      for (let at = 0; view[at]; at++) this.#holdIn(view[at] as Realm);
    } catch {
      // That was the last one: windows of other origins throw after it.
    }
  }

  /** A form in a shadow root says nothing of it outside: from now on it is heard there, and in what was written anew. */
  #hear(element: Element): void {
    for (let at: Element | null = element; at; at = at.assignedSlot ?? parentAcross(at)) {
      for (const root of [at.getRootNode(), this.roots.of(at)])
        root?.addEventListener("submit", this.#submit, true);
    }
  }

  #watch(realm: Realm): void {
    this.#hold(realm);

    // A link or field that is in no page sends no event.
    const saves = (self: unknown): boolean =>
      isElement(self) && closestAcross(self, BY_HAND) !== null && this.#needsHand();
    hook(realm.HTMLElement.prototype, "click", {
      before: (self) => !saves(self) && !(isElement(self) && opensAnew(self) && this.#needsHand()),
    });
    hook(realm.EventTarget.prototype, "dispatchEvent", {
      before: (self, [event]) => (event as Event | undefined)?.type !== "click" || !saves(self),
    });
    hook(realm, "open", {
      around: (call, [, target]) => (opens(realm, target) && this.#needsHand() ? null : call()),
    });
    const refused = () => new realm.DOMException("This needs a gesture of the user", "NotAllowedError");
    const ways = {
      reject: {
        around: (call: () => unknown) => (this.#needsHand() ? Promise.reject(refused()) : call()),
      },
      throw: {
        around: (call: () => unknown) => {
          if (this.#needsHand()) throw refused();
          return call();
        },
      },
      try: {
        around: (call: () => unknown) => {
          const run = this.#run();
          const answer = call();
          if (run) Promise.resolve(answer).catch(() => run.kept("needs_customer"));
          return answer;
        },
      },
    };
    for (const [owner, names, how] of CALLS) {
      const { prototype } = ((realm as unknown as Record<string, unknown>)[owner] ?? {}) as {
        prototype?: object;
      };
      for (const name of prototype ? names : []) hook(prototype as object, name, ways[how]);
    }
    for (const name of PICKERS) hook(realm, name, ways.reject);
    hook(realm.Document.prototype, "execCommand", {
      around: (call, [command]) => {
        const copies = /^(copy|cut)$/i.test(String(command));
        const done = call();
        if (copies && !done) this.#needsHand();
        return done;
      },
    });
  }
}

function opensAnew(element: Element): boolean {
  const link = closestAcross(element, "a[href][target]") as HTMLAnchorElement | null;
  return link !== null && opens(window, link.target);
}

/** Whether a window of this name would be a new one. */
function opens(view: Window, target: unknown): boolean {
  const name = String(target ?? "").toLowerCase();
  if (/^_(self|parent|top)$/.test(name)) return false;
  const frame = name && (view as unknown as Record<string, Window | undefined>)[String(target)];
  return !(frame && frame === frame.window);
}
