/**
 * What the session screen shows and does: connection, mirror and acting put together as signals.
 *
 * The server's status is shown as it comes; nothing about the session is guessed here.
 */

import { type Signal, signal } from "@preact/signals";
import type { EndReason, Place, Problem, Refusal, Status, Tab, ToAgent } from "../protocol/words.ts";
import { type Closed, Connection, type Lost } from "./connection.ts";
import { Acting } from "./mirror/acting.ts";
import type { Withheld } from "./mirror/marks.ts";
import { Mirror } from "./mirror/mirror.ts";
import type { Overlay } from "./mirror/overlay.ts";
import * as server from "./server.ts";
import { type Reason, words } from "./words.ts";

/** How the connection to the server is. */
export type Link =
  | "connecting"
  | "open"
  | Lost
  | { closed: Closed; reason?: EndReason | null; problem?: Problem };

/** A short message that goes by itself. */
export type Note = { key: number; text: string; tone: "plain" | "good" | "warn" };

/** What a countdown runs to. */
export type Ending = { at: number; why: "customer" | "line" | EndReason };

/** How long a note stays, in milliseconds. */
const NOTE = 5000;
/** How many notes there are at once at most. */
const NOTES = 3;

export class SessionModel {
  readonly sessionId: string;
  readonly link: Signal<Link> = signal<Link>("connecting");
  readonly status: Signal<Status | null> = signal<Status | null>(null);
  /** When the session ends by itself, by `Date.now()`, and why that is said; `null` while nothing threatens. */
  readonly ending: Signal<Ending | null> = signal<Ending | null>(null);
  readonly location = signal("");
  /** Of the customer, in CSS pixels; `null` before the first view. */
  readonly viewport: Signal<{ width: number; height: number } | null> = signal<{
    width: number;
    height: number;
  } | null>(null);
  readonly hasView = signal(false);
  /** The policy shares nothing of the page that the customer is on. */
  readonly isPrivate = signal(false);
  /** What of the page this agent may not see or use. */
  readonly withheld: Signal<Withheld> = signal<Withheld>({ private: 0, off: 0 });
  readonly tabs: Signal<Tab[]> = signal<Tab[]>([]);
  readonly notes: Signal<Note[]> = signal<Note[]>([]);
  readonly #onLoginNeeded: () => void;
  #connection: Connection | null = null;
  #mirror: Mirror | null = null;
  #acting: Acting | null = null;
  #overlay: Overlay | null = null;
  #nextNote = 1;
  /** How many seconds the session waits for this agent. */
  #patience = 0;

  /** `watches`: sees everything and does nothing. */
  constructor(
    sessionId: string,
    onLoginNeeded: () => void,
    readonly watches: boolean,
  ) {
    this.sessionId = sessionId;
    this.#onLoginNeeded = onLoginNeeded;
  }

  /** Starts once the mirror's empty frame is there. */
  start(frame: HTMLIFrameElement, overlay: Overlay, onWheel: (event: WheelEvent) => void): void {
    this.#overlay = overlay;
    const mirror = new Mirror(frame, {
      resync: (diverged) => this.#connection?.send({ type: "resync", diverged }),
      begun: (document) => {
        if (!this.watches) acting.attach(document);
        this.hasView.value = true;
      },
      renewing: (same) => acting.renewing(same),
      framed: (document) => acting.listen(document),
      viewport: (width, height) => {
        this.viewport.value = { width, height };
      },
      location: (url) => {
        this.location.value = url;
      },
      hidden: (is) => {
        this.isPrivate.value = is;
        if (is) overlay.pointer = null;
      },
      withheld: (what) => {
        this.withheld.value = what;
      },
      caret: (boxes) => overlay.caret(boxes),
      notice: (notice, at) => overlay.notice(notice, at),
      zoomed: (part) => overlay.zoomed(part),
    });
    const acting = new Acting(mirror, {
      send: (message) => this.#connection?.send(message),
      clicked: (at) => overlay.flash(at, "agent"),
      refused: (reason) => this.#refused(reason),
      wheel: onWheel,
    });
    this.#mirror = mirror;
    this.#acting = acting;
    this.hasView.value = false;
    this.#connect();
  }

  /** Shows the page again, which then connects. */
  reopen(): void {
    this.link.value = "connecting";
  }

  #connect(): void {
    this.#connection?.stop();
    this.link.value = "connecting";
    this.#connection = new Connection(server.socketUrl(this.sessionId), {
      opened: () => {
        if (this.link.value === "lost" || this.link.value === "restarting")
          this.note(words.notes.reconnected, "good");
        this.link.value = "open";
        this.#mirror?.restart();
        this.#acting?.restart();
      },
      view: (bytes) => this.#mirror?.receive(bytes),
      message: (message) => this.#message(message),
      lost: (why) => {
        const first = this.link.value === "open";
        this.link.value = why;
        if (first && this.#patience) {
          this.ending.value = { at: Date.now() + this.#patience * 1000, why: "line" };
        }
        // Nothing can be sent: what is typed now would only be seen here.
        if (this.#acting) this.#acting.mode = "pointer";
        if (this.#overlay) this.#overlay.pointer = null;
      },
      closed: (why, reason) => void this.#closed(why, reason),
    });
    this.#connection.open();
  }

  stop(): void {
    this.#connection?.stop();
  }

  /** The network is back, or the window is looked at again. */
  hurry(): void {
    this.#connection?.hurry();
  }

  requestWrite(): void {
    this.#connection?.send({ type: "request_write" });
  }

  giveBack(): void {
    this.#connection?.send({ type: "give_back" });
  }

  exit(): void {
    this.#connection?.send({ type: "exit" });
  }

  back(): void {
    this.#acting?.act({ kind: "back" });
  }

  forward(): void {
    this.#acting?.act({ kind: "forward" });
  }

  refresh(): void {
    this.#acting?.act({ kind: "refresh" });
  }

  navigate(url: string): void {
    this.#acting?.act({ kind: "navigate", url });
  }

  note(text: string, tone: Note["tone"] = "plain"): void {
    const key = this.#nextNote;
    this.#nextNote += 1;
    const others = this.notes.value.filter((note) => note.text !== text);
    this.notes.value = [...others, { key, text, tone }].slice(-NOTES);
    setTimeout(() => this.dismiss(key), NOTE);
  }

  dismiss(key: number): void {
    this.notes.value = this.notes.value.filter((note) => note.key !== key);
  }

  #message(message: ToAgent): void {
    switch (message.type) {
      case "welcome":
        this.#patience = message.patience;
        return;
      case "alive":
        return;
      case "tabs":
        this.#tabsChanged(message.tabs);
        return;
      case "status":
        this.#changed(message.status);
        return;
      case "pointer":
        if (this.#overlay) this.#overlay.pointer = this.#mirror?.place(message.within, message.at) ?? null;
        return;
      case "pointer_left":
        if (this.#overlay) this.#overlay.pointer = null;
        return;
      case "clicked": {
        const at = this.#mirror?.place(message.within, message.at);
        if (at) this.#overlay?.flash(at, "customer");
        return;
      }
      case "done":
        this.#answered(message.seq, null, message.at);
        return;
      case "refused":
        this.#answered(message.seq, message.reason, null);
        return;
      case "answers":
        for (const { seq, reason, at } of message.answers) {
          if (this.#acting?.awaits(seq)) this.#answered(seq, reason, at, true);
        }
        return;
    }
  }

  /** What is said of a view that the mirror could not follow is said again after the next one. */
  #answered(seq: number, reason: Refusal | null, at: Place | null, again = false): void {
    const acting = this.#acting;
    if (!acting || (!again && this.#mirror?.isLost && acting.awaits(seq))) return;
    if (!acting.answered(seq, reason, at) && reason) this.#refused(reason);
  }

  #tabsChanged(tabs: Tab[]): void {
    const before = this.tabs.value.find((tab) => tab.shown);
    this.tabs.value = tabs;
    const now = tabs.find((tab) => tab.shown);
    if (before && now && before.id !== now.id) this.note(words.notes.otherTab);
  }

  #refused(reason: Reason): void {
    const tone = reason === "no_menu" ? "plain" : "warn";
    this.note(words.refusal[reason] ?? words.refusal.not_possible, tone);
  }

  #changed(status: Status): void {
    const before = this.status.value;
    this.status.value = status;
    if (this.#acting) this.#acting.mode = this.watches ? "pointer" : status.mode;
    if (status.paused) this.location.value = "";
    if (status.ended) this.notes.value = [];
    this.ending.value = endingOf(status);
    if (!before || status.ended) return;
    // A declined request changes no mode: the answered question is what tells.
    const answered = before.writeRequested && !status.writeRequested;
    if (answered) this.notes.value = this.notes.value.filter((note) => note.text !== words.notes.asked);
    if (answered || before.mode !== status.mode) {
      const text = words.modeReason[status.modeReason];
      if (text) this.note(text, status.modeReason === "allowed" ? "good" : "plain");
    } else if (!before.writeRequested && status.writeRequested) {
      this.note(words.notes.asked);
    }
    if ((status.customer !== "present" || status.paused) && this.#overlay) this.#overlay.pointer = null;
  }

  async #closed(why: Closed, reason: string): Promise<void> {
    if (why === "login") return this.#onLoginNeeded();
    const known = Object.hasOwn(words.ended, reason) ? (reason as EndReason) : null;
    if (why !== "ended" || known || this.status.value?.ended) {
      this.link.value = { closed: why, reason: this.status.value?.ended ?? known };
      return;
    }
    // There never was such a session, or its end was forgotten: ask which.
    const answer = await server.session(this.sessionId);
    this.link.value = answer.ok ? { closed: "broken" } : { closed: why, problem: answer.problem };
  }
}

function endingOf(status: Status): Ending | null {
  const at = (seconds: number) => Date.now() + seconds * 1000;
  const { customerAway, endsSoon } = status;
  if (customerAway) return { at: at(customerAway.seconds), why: "customer" };
  return endsSoon && { at: at(endsSoon.seconds), why: endsSoon.reason };
}
