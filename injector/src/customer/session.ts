/**
 * One session in this page: what the server says goes to the part that does it, and back.
 *
 * Nothing of the page leaves before the server asks to share it, which it does only once an agent has joined.
 */

import type { Host, Meet } from "../frames/invitations.ts";
import type { MakeHand } from "../hand/main.ts";
import type { FindHeld } from "../held/fingerprint.ts";
import type { Bridge, PartName } from "../loader/bridge.ts";
import type { MakeHints } from "../outlines/main.ts";
import type { Act, Echo, EndReason, FromCustomer, Held, Status, ToCustomer } from "../protocol/words.ts";
import type { MakeSheets } from "../sheets/sheets.ts";
import type { Acting, ActingSession } from "./acting.ts";
import { AgentPointer } from "./agent-pointer.ts";
import { Connection, type Line } from "./connection.ts";
import type { Roots } from "./dom.ts";
import { Gestures } from "./gestures.ts";
import { guarded } from "./guarded.ts";
import { Marks } from "./marks.ts";
import type { Notices } from "./notices.ts";
import { Hidden } from "./outlines.ts";
import type { Realms } from "./realms.ts";
import { type Outlet, Recorder } from "./recorder.ts";
import type { Extras } from "./sheet-hooks.ts";
import type { Stage } from "./stage.ts";
import { remember, remembered } from "./storage.ts";
import { TabName } from "./tab.ts";
import { until } from "./until.ts";
import { Wants } from "./wants.ts";
import { Widget } from "./widget/widget.ts";
import { Withholding } from "./withhold.ts";
import type { Words } from "./words.ts";

/** How often to look after our own element, in milliseconds. */
const CARE = 1000;
/** Hashes in one message; the server takes no more. */
const ECHOES = 256;
/** How long leaving may take when the line is down, in milliseconds. */
const LEAVING = 30_000;

/** What the server says to a page in a window of its own. */
type ToPage = Exclude<ToCustomer, { type: "share_inset" }> | Act;

/** What a session lives in. */
export interface SessionContext {
  readonly bridge: Bridge;
  readonly stage: Stage;
  readonly roots: Roots;
  readonly realms: Realms;
  readonly extras: Extras;
  readonly notices: Notices;
  /** Whether the caret in an element is the agent's. */
  agentHas(element: Element): boolean;
  readonly words: Words;
  /** Called once the session is over for this page. */
  ended(): void;
}

/** A session of this page. */
export class Session implements Host, ActingSession {
  readonly #connection: Connection;
  readonly #widget: Widget;
  readonly #pointer: AgentPointer;
  readonly hints: Hidden;
  readonly withholding = new Withholding(
    () => this.context.bridge.load("echoes"),
    (fresh) => {
      this.#tell(fresh);
      if (fresh.length > 0) this.#recorder?.repeated();
    },
  );
  readonly #care: ReturnType<typeof setInterval>;
  readonly marks = new Marks(() => this.#recorder);
  guests: Host["guests"];
  readonly #wants = new Wants(
    (want) => this.send({ type: "unavailable", want }),
    () => this.context.bridge.load("reread"),
  );
  #recorder: Recorder | null = null;
  /** What is shared, or about to be; 0 for nothing. */
  #epoch = 0;
  /** The customer shares nothing for now: known before the server says so, since a page must not tell where it is. */
  #paused = false;
  /** What the customer chose and the server has not confirmed yet. */
  #chosen: boolean | null = null;
  #status: Status | null = null;
  #told = false;
  readonly #over = new AbortController();
  /** The customer has left, and the server does not know yet. */
  #leaving = false;

  /** Joins the session `sessionId`. */
  constructor(
    readonly sessionId: string,
    readonly context: SessionContext,
    readonly acting: Acting,
  ) {
    const { bridge, stage, words } = context;
    const { signal } = this.#over;
    this.#widget = new Widget(words, context, {
      exit: () => this.exit(),
      answer: (allow) => this.send({ type: "answer", allow }),
      takeBack: () => this.send({ type: "take_back" }),
      pause: (on) => this.#pause(on),
      showHidden: (on) => {
        this.hints.show(on);
        this.guests?.outline(on);
      },
    });
    this.#pointer = new AgentPointer(async () => (await bridge.load<MakeHand>("hand"))(stage));
    new Gestures(
      stage.host,
      context.realms,
      (message) => this.#gesture(message),
      this.marks,
      () => bridge.load("depth"),
      signal,
    );
    this.hints = new Hidden(async () => {
      const make = await bridge.load<MakeHints>("outlines");
      return make(stage, context.realms, this.marks, words.hidden);
    });
    this.#widget.showId(sessionId);
    // Whether the server heard of it is not sure.
    if (remembered("localStorage", PAUSED) === sessionId) this.#paused = this.#chosen = true;
    bridge.become("idle");
    stage.raise(this.recorder?.topLayer);
    // What is typed half is all that the next page can show of it.
    until(signal, window, ["pagehide"], () => this.#recorder?.settle());
    this.#care = setInterval(() => guarded(() => stage.keep(this.recorder?.topLayer)), CARE);
    this.#connection = new Connection(new TabName(signal).value, {
      // Without what is behind "#", which is none of the server's business.
      address: () => (this.#paused ? null : (location.href.split("#")[0] ?? "")),
      message: (message) => this.#message(message as ToPage),
      line: (line) => this.#line(line),
      over: (word) => this.#end(this.#reason(word)),
    });
  }

  /** The recorder of the running epoch. */
  get recorder(): Recorder | null {
    return this.#recorder;
  }

  /** What the agent is called. */
  get agentName(): string {
    return this.#status?.agentName ?? this.context.words.agent;
  }

  /** Moves the keyboard to the widget. */
  focus(): void {
    this.#widget.focus();
  }

  /** The page has opened or closed something in the top layer. */
  topChanged(element: Element): void {
    this.#recorder?.markTop(element);
    if (element !== this.context.stage.host) this.context.stage.raise(this.recorder?.topLayer);
  }

  /** The customer leaves. */
  exit(): void {
    if (this.#over.signal.aborted) return;
    this.#leaving = true;
    if (this.#connection.isOpen) this.send({ type: "exit" });
    this.#stopSharing();
    this.#end("customer_exit");
    setTimeout(() => this.#connection.close(), LEAVING);
  }

  #message(message: ToPage): void {
    if (this.#over.signal.aborted) return;
    switch (message.type) {
      case "welcome":
        this.#widget.welcome(message.sessionId, message.patience);
        this.#widget.keepPrivate(false);
        this.context.bridge.mark(message.sessionId);
        if (!this.#told) this.context.bridge.emit("started", { sessionId: message.sessionId });
        this.#told = true;
        break;
      case "status":
        this.#update(message.status);
        break;
      case "rest":
        this.#stopSharing();
        this.#pointer.show(null);
        break;
      case "share":
        if (this.#status?.mode === "write") this.acting.tell();
        this.#share(message.epoch, message.held).catch((error) => console.debug("Tandem:", error));
        break;
      case "withhold":
        this.withholding.set(message.select, message.frames);
        this.#tell(this.withholding.echoes.set(message.echoing));
        this.#recorder?.judged();
        break;
      case "private":
        this.marks.set(message);
        if (message.marks.length > 0) this.hints.found();
        else this.hints.refresh();
        break;
      case "private_page":
        this.#widget.keepPrivate(message.on);
        break;
      case "pointer":
        this.#pointer.show(message.at);
        break;
      case "pointer_left":
        this.#pointer.show(null);
        break;
      case "clicked":
        this.#pointer.click(message.at);
        break;
      case "ticket":
        this.guests?.invited(message);
        break;
      case "want":
        if (!this.#paused) this.#wants.add(message.want, message.url);
        break;
      case "act":
        this.acting.run(message);
        break;
      case "alive":
        break;
      default:
        // A newer server may say more than this page understands.
        message satisfies never;
    }
  }

  #update(status: Status): void {
    const { bridge, words } = this.context;
    const before = this.#status;
    this.#status = status;
    if (status.phase === "ended") {
      this.#end(status.ended ?? "error");
      return;
    }
    this.#follow(status.paused);
    this.#widget.update(status);
    this.#pointer.name(status.agentName ?? words.agent);
    bridge.become(status.phase);
    if (status.agent !== "present") this.#pointer.show(null);
    if (status.phase !== "active") return;
    this.#recorder?.joined();
    if (status.mode === "write") this.acting.tell();
    else if (before?.mode === "write") this.acting.stop();
    if (before?.phase !== "active") bridge.emit("agentJoined", { agentName: status.agentName });
    if (before ? before.mode !== status.mode : status.mode !== "pointer") {
      bridge.emit("modeChanged", { mode: status.mode, reason: status.modeReason });
    }
  }

  /** Pauses at once, whatever becomes of the message; goes on when the server knows. */
  #pause(on: boolean): void {
    this.#chosen = on;
    if (on) this.#hold();
    this.send({ type: on ? "pause" : "resume" });
  }

  #hold(): void {
    this.#paused = true;
    remember("localStorage", PAUSED, this.sessionId);
    this.#stopSharing();
    this.#wants.clear();
    this.#pointer.show(null);
  }

  #follow(paused: boolean): void {
    if (paused === this.#chosen) this.#chosen = null;
    if (paused === this.#paused || this.#chosen !== null) return;
    if (paused) {
      this.#hold();
    } else {
      this.#paused = false;
      remember("localStorage", PAUSED, null);
      if (!document.hidden) this.#connection.look();
    }
  }

  async #share(epoch: number, held: Held): Promise<void> {
    this.#stopSharing();
    if (this.#paused) return;
    const connection = this.#connection;
    this.#epoch = epoch;
    const { bridge, extras } = this.context;
    const part = <T>(name: PartName, needed: unknown): Promise<T | undefined> | undefined =>
      needed ? bridge.load<T>(name).catch(() => undefined) : undefined;
    // Without it, everything is sent.
    const find = await part<FindHeld>("held", held.fingerprints);
    // Without it, the page has no styles at first.
    extras.make ??= await part<MakeSheets>(
      "sheets",
      document.adoptedStyleSheets.length || document.querySelector("style:empty"),
    );
    if (!(await this.withholding.ready(document, () => this.#epoch === epoch))) return;
    const outlet: Outlet = {
      get waiting() {
        return connection.waiting;
      },
      typed: (echoes) => this.#tell(echoes),
      ask: (url) => this.send({ type: "frame", url }),
      foreign: (frame) => {
        if (!bridge.look.hosts) return;
        bridge.load<Meet>("frames").then(
          (meet) => meet(frame, this, bridge.look.hosts),
          () => {},
        );
      },
      frame: (bytes) => connection.frame(bytes),
      lost: () => connection.restart(),
      load: (name) => bridge.load(name),
    };
    this.#recorder = new Recorder(epoch, this.context, this.withholding, outlet, {
      held: find && ((known) => find(held, known, this.withholding)),
    });
  }

  /** Tells hashes of withheld values, as many as fit at a time. */
  #tell(echoes: Echo[]): void {
    for (let at = 0; at < echoes.length; at += ECHOES) {
      this.send({ type: "typed", echoes: echoes.slice(at, at + ECHOES) });
    }
  }

  #stopSharing(): void {
    this.#epoch = 0;
    this.#recorder?.stop();
    this.#recorder = null;
    this.marks.clear();
    this.hints.refresh();
  }

  #line(line: Line): void {
    if (this.#leaving) {
      if (line === "open") this.send({ type: "exit" });
      return;
    }
    if (line !== "open") {
      this.#stopSharing();
      this.#pointer.show(null);
    } else if (this.#chosen !== null) {
      this.send({ type: this.#chosen ? "pause" : "resume" });
    }
    this.#widget.line(line);
  }

  #end(reason: EndReason | null): void {
    if (this.#over.signal.aborted) {
      this.#connection.close();
      return;
    }
    this.#over.abort();
    const { bridge } = this.context;
    this.#stopSharing();
    this.acting.stop();
    clearInterval(this.#care);
    this.#pointer.stop();
    remember("localStorage", PAUSED, null);
    this.hints.stop();
    this.#widget.end(reason);
    if (!this.#leaving) this.#connection.close();
    bridge.mark(null);
    bridge.become("ended");
    if (reason) bridge.emit("ended", { reason });
    this.context.ended();
  }

  /** Why it ended. A session that the server does not know any more is forgotten without a word. */
  #reason(word: string): EndReason | null {
    if (Object.hasOwn(this.context.words.ended, word)) return word as EndReason;
    return this.#status && (this.#status.ended ?? "error");
  }

  /** What the customer does with the pointer, after what it has changed. */
  #gesture(message: FromCustomer): void {
    if (!this.#recorder) return;
    if (message.type === "clicked") this.#recorder.flush();
    this.send(message);
  }

  /** Tells the server. */
  send(message: FromCustomer): void {
    this.#connection.send(message);
  }
}

/** Where the browser remembers which session is paused, for the pages that are loaded meanwhile. */
const PAUSED = "tandem-paused";
