/**
 * Shares the document of a frame that a page of another host shows: by a line of its own, so that nothing of it, and nothing
 * that an agent does in it, passes that page.
 *
 * Who opens the line is the ticket of a page of the site; by which rules typed values are withheld, and what is private, the
 * server says as it does to a page in a window.
 */

import { Acting, type MakeExecutor } from "../customer/acting.ts";
import { above, isElement, Roots } from "../customer/dom.ts";
import { make } from "../customer/elements.ts";
import type { ExecutorContext } from "../customer/executor.ts";
import { Notices } from "../customer/notices.ts";
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
import type { FrameWord, InsetBridge } from "../loader/bridge.ts";
import type { Act, Echo, FromCustomer, PrivateMark, ToCustomer } from "../protocol/words.ts";
import { Backoff } from "../wire/backoff.ts";
import { Line } from "./line.ts";

/** The session is over, or knows nothing of the ticket; and: the page is told anew, or another document is here. */
const GONE = new Set([4001, 4002]);
/** Hashes in one message; the server takes no more. */
const ECHOES = 256;
/** So often this document asks for another ticket by itself. */
const TRIES = 5;

/** The page that shows this document, and has said that it is shared. */
interface Around {
  readonly page: Window;
  readonly origin: string;
}

/** One document in a frame. */
export class Lodger implements Host {
  readonly #roots = new Roots();
  readonly #realms = new Realms();
  readonly #extras = new Extras();
  readonly #notices = new Notices();
  readonly #marks = new Map<number, PrivateMark>();
  readonly #backoff = new Backoff();
  readonly #acting: Acting;
  #withholding = this.#knowNothing();
  #around: Around | null = null;
  #line: Line | null = null;
  #ticket = "";
  #tries = 0;
  #recorder: Recorder | null = null;
  #wants: Wants | null = null;
  #words: Words | null = null;
  #agentName = "";
  invited: Host["invited"];

  constructor(readonly bridge: InsetBridge) {
    const top = (element: unknown): void => {
      if (isElement(element) && (element.localName === "dialog" || element.hasAttribute("popover")))
        this.#recorder?.markTop(element);
    };
    const { root, host } = ownPlace();
    const watcher = { roots: this.#roots, extras: this.#extras, notices: this.#notices, top };
    this.#realms.each((realm) => watch(realm, { ...watcher, recorder: () => this.#recorder }));
    for (const name of ["toggle", "close"] as const) {
      this.#realms.listen(name, (event) => top(event.composedPath()[0]), true);
    }
    addEventListener("pagehide", () => {
      this.#recorder?.settle();
      this.#end();
    });
    const context: ExecutorContext = {
      host,
      stage: new Stage(host, root, bridge.look),
      agentName: () => this.#agentName,
      roots: this.#roots,
      realms: this.#realms,
      node: (id) => this.#recorder?.known.node(id),
      knows: (node) => !!this.#recorder?.known.id(node),
      isPrivate: (element) => this.#isPrivate(element),
      topLayer: () => this.#recorder?.topLayer ?? [],
      retell: (element) => this.#recorder?.retell(element),
      send: (message) => this.send(message),
      answer: (seq, refused, at) => {
        this.#recorder?.flush();
        const node = at && this.#recorder?.known.id(at.node);
        this.send({ type: "acted", seq, refused, at: at && node ? { node, offset: at.offset } : null });
      },
      stopped: (reason) => this.send({ type: "stopped", reason }),
      words: () => this.#words as Words,
      ownSheet: (sheet) => this.#extras.own.add(sheet),
    };
    this.#acting = new Acting(context, async () => {
      this.#words ??= await bridge.words();
      const making = await bridge.load<MakeExecutor>("acting");
      context.stage.raise(context.topLayer());
      return making;
    });
  }

  /** Of the document, while it is shared. */
  get recorder(): Recorder | null {
    return this.#recorder;
  }

  /** A page of the site around this document says something. */
  hear(word: FrameWord, page: Window, origin: string): void {
    if (word.tandem === "who") {
      this.#tries = 0;
      this.#answer({ page, origin });
    } else if (word.tandem === "join" && page === this.#around?.page && origin === this.#around.origin) {
      this.#join(word.ticket);
    }
  }

  /** Tells the server. */
  send(message: FromCustomer): void {
    this.#line?.send(message);
  }

  #answer(around: Around): void {
    this.#around = around;
    // Goes nowhere if another page is there by now.
    around.page.postMessage({ tandem: "here" } satisfies FrameWord, around.origin);
  }

  #join(ticket: string): void {
    this.#end();
    this.#ticket = ticket;
    this.#withholding = this.#knowNothing();
    this.#wants = new Wants((want) => this.send({ type: "unavailable", want }), ticket);
    this.#line = new Line(
      ticket,
      (message) => this.#message(message),
      (code) => this.#lost(code),
    );
  }

  #message(message: ToCustomer | Act): void {
    switch (message.type) {
      case "withhold":
        this.#withholding.set(message.select, message.frames);
        this.#tell(this.#withholding.echoes.set(message.echoing));
        this.#recorder?.judged();
        break;
      case "share_inset":
        this.#share(message.first).catch((error) => console.debug("Tandem:", error));
        break;
      case "private":
        for (const node of message.cleared) this.#marks.delete(node);
        for (const mark of message.marks) this.#marks.set(mark.node, mark);
        this.#measure();
        break;
      case "status":
        this.#agentName = message.status.agentName ?? "";
        this.#recorder?.joined();
        if (message.status.mode !== "write") this.#acting.stop();
        break;
      case "ticket":
        this.invited?.(message);
        break;
      case "want":
        this.#wants?.add(message.want, message.url);
        break;
      case "act":
        this.#act(message);
        break;
      default:
      // What only concerns a page in a window.
    }
  }

  async #share(first: number): Promise<void> {
    const line = this.#line;
    if (!line || !(await this.#withholding.ready(document, () => this.#line === line))) return;
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
    this.#recorder = new Recorder(0, page, this.#withholding, outlet, {}, first);
  }

  #lost(code: number): void {
    this.#end();
    const around = this.#around;
    if (!around || GONE.has(code) || this.#tries++ >= TRIES) return;
    setTimeout(() => {
      if (!this.#line) this.#answer(around);
    }, this.#backoff.next());
  }

  #end(): void {
    this.#line?.close();
    this.#line = null;
    this.#recorder?.stop();
    this.#recorder = null;
    this.#marks.clear();
    this.#acting.stop();
    this.#wants = null;
  }

  /** What is dragged is dragged from window to window: the places are those of the one that has this frame. */
  #act(act: Act): void {
    const { kind } = act.action;
    if (kind === "press" || kind === "drag" || kind === "drop") {
      this.send({ type: "acted", seq: act.seq, refused: "not_possible", at: null });
    } else this.#acting.run(act);
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

  #isPrivate(element: Element): boolean {
    for (let at: Node | null = element; at; at = above(at)) {
      const kind = this.#marks.get(this.#recorder?.known.id(at) ?? 0)?.kind;
      if (kind === "masked" || kind === "hidden") return true;
      if (kind === "shown" || kind === "pictured") break;
    }
    return this.#withholding.isPassword(element);
  }

  #measure(): void {
    const marks = [...this.#marks.values()];
    const boxes = marks.filter(({ kind }) => kind !== "masked" && kind !== "shown");
    const pictured = marks.filter(({ kind }) => kind === "pictured");
    const ids = (some: readonly PrivateMark[]) => new Set(some.map(({ node }) => node));
    this.#recorder?.measure(ids(boxes), ids(pictured));
  }
}

/** Where the agent's place in this document is shown: nowhere, before an agent does something in it. */
function ownPlace(): { host: HTMLElement; root: ShadowRoot } {
  const host = make("tandem-widget" as "div");
  return { host, root: host.attachShadow({ mode: "open" }) };
}
