/**
 * Shares the document of a frame that a page of another host shows: by a line of its own, so that nothing of it, and nothing
 * that an agent does in it, passes that page.
 *
 * Who opens the line is the ticket of a page of the site; by which rules typed values are withheld, and what is private, the
 * server says as it does to a page in a window.
 */

import { Acting, type ActingSession, type Around, type MakeExecutor } from "../customer/acting.ts";
import { isElement, Roots } from "../customer/dom.ts";
import { make } from "../customer/elements.ts";
import { Gestures } from "../customer/gestures.ts";
import { Marks } from "../customer/marks.ts";
import { Notices } from "../customer/notices.ts";
import { Hidden } from "../customer/outlines.ts";
import type { MakeCamera } from "../customer/pictures.ts";
import { Realms } from "../customer/realms.ts";
import { type Outlet, Recorder, type RecorderParts } from "../customer/recorder.ts";
import { Extras } from "../customer/sheet-hooks.ts";
import { Stage } from "../customer/stage.ts";
import { Wants } from "../customer/wants.ts";
import { watch } from "../customer/watch.ts";
import { Withholding } from "../customer/withhold.ts";
import type { Words } from "../customer/words.ts";
import type { MakeFinder } from "../echoes/finder.ts";
import type { Host, Meet } from "../frames/invitations.ts";
import type { FrameWord, InsetBridge, PartName } from "../loader/bridge.ts";
import hostStyle from "../loader/host.inline.css";
import type { MakeHints } from "../outlines/main.ts";
import type { Act, Echo, FromCustomer, ToCustomer } from "../protocol/words.ts";
import { Backoff } from "../wire/backoff.ts";
import { Line } from "./line.ts";

/** The session is over, or knows nothing of the ticket; and: the page is told anew, or another document is here. */
const GONE = new Set([4001, 4002]);
/** Hashes in one message; the server takes no more. */
const ECHOES = 256;
/** How often to look whether this document is painted, in milliseconds. */
const PAINTED = 1000;
/** How long a ticket is waited for, in milliseconds. */
const TICKET = 5000;
/** So often this document asks for another ticket by itself. */
const TRIES = 5;

/** One document in a frame. */
export class Lodger implements Host, ActingSession {
  readonly #roots = new Roots();
  readonly #realms = new Realms();
  readonly #extras = new Extras();
  readonly #notices = new Notices();
  readonly marks = new Marks(() => this.#recorder);
  readonly #backoff = new Backoff();
  readonly #acting: Acting;
  readonly hints: Hidden;
  withholding = this.#knowNothing();
  /** Has said that it is shared. */
  around: Around | null = null;
  #line: Line | null = null;
  #ticket = "";
  #tries = 0;
  #recorder: Recorder | null = null;
  #wants: Wants | null = null;
  #watch: ReturnType<typeof setInterval> | undefined;
  #words: Words | null = null;
  /** Until when a ticket is waited for. */
  #waiting = 0;
  agentName = "";
  guests: Host["guests"];

  constructor(readonly bridge: InsetBridge) {
    const { root, host } = ownPlace();
    const stage = new Stage(host, root, bridge.look);
    stage.dress(hostStyle);
    /** What is shown here, is so above what the page shows; before there is something, no element of ours is in it. */
    const raise = (): void => stage.raise(this.#recorder?.topLayer);
    const top = (element: unknown): void => {
      if (!isElement(element) || element === host || element.getRootNode() === root) return;
      if (element.localName !== "dialog" && !element.hasAttribute("popover")) return;
      this.#recorder?.markTop(element);
      if (host.isConnected) raise();
    };
    const watcher = { roots: this.#roots, extras: this.#extras, notices: this.#notices, top };
    this.#realms.each((realm) => watch(realm, { ...watcher, recorder: () => this.#recorder }));
    for (const name of ["toggle", "close"] as const) {
      this.#realms.listen(name, (event) => top(event.composedPath()[0]));
    }
    addEventListener("pagehide", () => {
      this.#recorder?.settle();
      this.#end();
      if (this.around) this.#answer({ tandem: "gone", frame: this.around.frame });
    });
    const show = async <T>(name: PartName): Promise<[T, Words]> => {
      this.#words ??= await bridge.words();
      const part = await bridge.load<T>(name);
      stage.speak(this.#words.language);
      raise();
      return [part, this.#words];
    };
    this.#acting = new Acting(
      {
        stage,
        roots: this.#roots,
        realms: this.#realms,
        extras: this.#extras,
        // What is shown here is loaded after them.
        words: () => this.#words as Words,
        session: () => this,
      },
      async () => (await show<MakeExecutor>("acting"))[0],
    );
    this.hints = new Hidden(async () => {
      const [make, words] = await show<MakeHints>("outlines");
      return make(stage, this.#realms, this.marks, words.hidden);
    });
    new Gestures(
      host,
      this.#realms,
      (message) => this.#gesture(message),
      this.marks,
      () => bridge.load("depth"),
      // As long as this document is here.
      new AbortController().signal,
    );
  }

  /** Of the document, while it is shared. */
  get recorder(): Recorder | null {
    return this.#recorder;
  }

  /** A page of the site around this document says something. */
  hear(word: FrameWord, page: Window, origin: string): void {
    if (word.tandem === "who") {
      const { around } = this;
      const again = around?.page === page && around.origin === origin && around.frame === word.frame;
      const joined = again && this.#line !== null;
      const now = performance.now();
      // It is asked until it answers, and when it has loaded.
      if (again && !joined && now < this.#waiting) return;
      if (!joined) {
        this.#tries = 0;
        this.#waiting = now + TICKET;
      }
      this.around = { page, origin, frame: word.frame };
      this.#answer({ tandem: "here", joined });
    } else if (word.tandem === "join" && page === this.around?.page && origin === this.around.origin) {
      this.#join(word.ticket);
      this.#outline(word.outline);
    } else if (word.tandem === "outline" && page === this.around?.page && origin === this.around.origin) {
      this.#outline(word.on);
      this.guests?.outline(word.on);
    }
  }

  /** Tells the server. */
  send(message: FromCustomer): void {
    this.#line?.send(message);
  }

  #answer(word: FrameWord): void {
    // Goes nowhere if another page is there by now.
    this.around?.page.postMessage(word, this.around.origin);
  }

  #join(ticket: string): void {
    this.#end();
    this.#waiting = 0;
    this.#ticket = ticket;
    this.withholding = this.#knowNothing();
    this.#wants = new Wants(
      (want) => this.send({ type: "unavailable", want }),
      () => this.bridge.load("reread"),
      ticket,
    );
    this.#line = new Line(
      ticket,
      (message) => this.#message(message),
      (code) => this.#lost(code),
    );
  }

  #message(message: ToCustomer | Act): void {
    switch (message.type) {
      case "withhold":
        this.withholding.set(message.select, message.frames);
        this.#tell(this.withholding.echoes.set(message.echoing));
        this.#recorder?.judged();
        break;
      case "share_inset":
        this.#share(message.first).catch((error) => console.debug("Tandem:", error));
        break;
      case "private":
        this.marks.set(message);
        if (!this.marks.hidden().next().done) this.hints.found();
        else this.hints.refresh();
        break;
      case "status":
        this.agentName = message.status.agentName ?? "";
        this.#recorder?.joined();
        if (message.status.mode !== "write") this.#acting.stop();
        // What an agent does elsewhere in the page may lead to something here.
        else this.#acting.prepare().catch(() => {});
        break;
      case "ticket":
        this.guests?.invited(message);
        break;
      case "want":
        this.#wants?.add(message.want, message.url);
        break;
      case "act":
        this.#acting.run(message);
        break;
      default:
      // What only concerns a page in a window.
    }
  }

  async #share(first: number): Promise<void> {
    const line = this.#line;
    if (!line || !(await this.withholding.ready(document, () => this.#line === line))) return;
    const outlet: Outlet = {
      get waiting() {
        return line.waiting;
      },
      typed: (echoes) => this.#tell(echoes),
      ask: (url) => this.send({ type: "frame", url }),
      foreign: (frame) => {
        const meet = this.bridge.load<Meet>("frames");
        meet.then(
          (meet) => meet(frame, this, this.bridge.look.hosts),
          () => {},
        );
      },
      frame: (bytes) => line.frame(bytes),
      load: async (name) => {
        const part = await this.bridge.load<RecorderParts[typeof name]>(name);
        if (name !== "pictures") return part;
        const make = part as MakeCamera;
        return ((taken) => make(taken, this.#ticket)) as MakeCamera as typeof part;
      },
      lost: () => this.#lost(0),
    };
    const page = {
      roots: this.#roots,
      realms: this.#realms,
      extras: this.#extras,
      notices: this.#notices,
      agentHas: (element: Element) => this.#acting.has(element),
    };
    this.#recorder = new Recorder(0, page, this.withholding, outlet, {}, first);
    this.#watch = this.#watchUnpainted(this.#recorder);
  }

  /** What the customer does not see is not painted, and no event tells there what is scrolled. */
  #watchUnpainted(recorder: Recorder): ReturnType<typeof setInterval> {
    let frame = 0;
    let painted = true;
    return setInterval(() => {
      if (!painted) recorder.survey();
      cancelAnimationFrame(frame);
      painted = false;
      frame = requestAnimationFrame(() => {
        painted = true;
      });
    }, PAINTED);
  }

  #lost(code: number): void {
    this.#end();
    if (GONE.has(code) || this.#tries++ >= TRIES) return;
    setTimeout(() => {
      if (!this.#line) this.#answer({ tandem: "here", joined: false });
    }, this.#backoff.next());
  }

  #end(): void {
    this.#line?.close();
    this.#line = null;
    clearInterval(this.#watch);
    this.#recorder?.stop();
    this.#recorder = null;
    this.marks.clear();
    this.hints.refresh();
    this.#outline(false);
    this.#acting.stop();
    this.#wants = null;
  }

  #knowNothing(): Withholding {
    return new Withholding(
      () => this.bridge.load<MakeFinder>("echoes"),
      (fresh) => {
        this.#tell(fresh);
        if (fresh.length > 0) this.#recorder?.repeated();
      },
    );
  }

  #tell(echoes: Echo[]): void {
    for (let at = 0; at < echoes.length; at += ECHOES) {
      this.send({ type: "typed", echoes: echoes.slice(at, at + ECHOES) });
    }
  }

  #outline(on: boolean): void {
    if (on !== this.hints.on) this.hints.show(on);
  }

  /** What the customer does with the pointer, after what it has changed. */
  #gesture(message: FromCustomer): void {
    if (!this.#recorder) return;
    if (message.type === "clicked") this.#recorder.flush();
    this.send(message);
  }
}

/** Where this document shows what is ours: nowhere, before there is something to show. */
function ownPlace(): { host: HTMLElement; root: ShadowRoot } {
  const host = make("tandem-widget" as "div");
  return { host, root: host.attachShadow({ mode: "open" }) };
}
