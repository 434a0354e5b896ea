/**
 * The line to the server: one WebSocket for each tab, opened again for as long as the session lives.
 */

import type { Act, FromCustomer, ToCustomer } from "../protocol/words.ts";
import { Backoff } from "../wire/backoff.ts";
import { Outbox } from "../wire/outbox.ts";
import { Pulse } from "../wire/pulse.ts";
import { guarded } from "./guarded.ts";
import { until } from "./until.ts";

/** The session is over, or the server does not know it. */
const ENDED = 4001;
/** There are too many tabs; this one is taken up again when it is looked at. */
const TAKEN_OVER = 4002;
/** One side did not understand the other. */
const PROTOCOL = 4003;
/** The server is about to be started again. */
const RESTARTING = 1012;
/** How the reason of a close ends when the page has more than the server takes (`src/sync`). */
const TOO_LARGE = "too large";
/** How long opening may take, in milliseconds. */
const OPENING = 6000;
/** So often in a row a connection may fail for [`PROTOCOL`] before this page gives up. */
const MISUNDERSTANDINGS = 4;
/** A misunderstanding this long after the last one, in milliseconds, starts a new row. */
const FORGIVEN = 30_000;

/** Longest address that is told when connecting, in UTF-16 units. */
const LONGEST_ADDRESS = 2000;

/** How the line is. */
export type Line = "open" | "lost" | "restarting" | "elsewhere" | "too_large" | "broken";

/** Who listens. */
export interface Listener {
  /** Where this page is; `null` while that is not to be told. */
  address(): string | null;
  /** A message has come. */
  message(message: ToCustomer | Act): void;
  /** The line has changed. */
  line(line: Line): void;
  /** The session is over, for this reason if the server knows it; nothing more will come. */
  over(reason: string): void;
}

/** Keeps the line up. */
export class Connection {
  readonly #backoff = new Backoff();
  #socket: WebSocket | null = null;
  #out: Outbox | null = null;
  #pulse: Pulse | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #misunderstandings = 0;
  #misunderstood = 0;
  #elsewhere = false;
  /** The server said that it will be back. */
  #restarting = false;
  readonly #closed = new AbortController();

  /** Connects. `tab`: the name of this tab. */
  constructor(
    readonly tab: string,
    readonly listener: Listener,
  ) {
    const { signal } = this.#closed;
    until(signal, document, ["visibilitychange"], this.#inUse);
    until(signal, window, ["focus", "pageshow", "online"], this.#inUse);
    this.#open();
  }

  /** Bytes that wait to leave. */
  get waiting(): number {
    return this.#out?.waiting ?? 0;
  }

  /** Whether messages can leave now. */
  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends a message, if the line is open. */
  send(message: FromCustomer): void {
    this.#out?.put(JSON.stringify(message));
  }

  /** Sends a frame of the page, if the line is open. */
  frame(bytes: Uint8Array<ArrayBuffer>): void {
    this.#out?.frame(bytes);
  }

  /** Starts over with a new socket. */
  restart(): void {
    this.#socket?.close(PROTOCOL);
  }

  /** Closes the line for good. */
  close(): void {
    this.#closed.abort();
    this.#drop()?.close();
  }

  /** Tells that this tab is looked at, and where its page is. */
  look(): void {
    const url = this.listener.address()?.slice(0, LONGEST_ADDRESS);
    if (url !== undefined) this.send({ type: "looking", url });
  }

  readonly #inUse = (): void => {
    if (document.hidden) {
      this.send({ type: "looked_away" });
      return;
    }
    this.#elsewhere = false;
    // What looks open may be dead since the network changed.
    if (this.isOpen) this.#pulse?.check();
    else this.#open();
    this.look();
  };

  /** Lets go of the socket: nothing of it is heard any more. */
  #drop(): WebSocket | null {
    const socket = this.#socket;
    this.#socket = this.#out = null;
    this.#pulse?.stop();
    clearTimeout(this.#timer);
    return socket;
  }

  #open(): void {
    if (this.#closed.signal.aborted || this.#elsewhere) return;
    const state = this.#socket?.readyState;
    if (state === WebSocket.OPEN || state === WebSocket.CONNECTING) return;
    this.#drop();
    const about = new URLSearchParams({ tab: this.tab, looking: document.hidden ? "0" : "1" });
    const url = this.listener.address();
    if (url !== null) about.set("url", url.slice(0, LONGEST_ADDRESS));
    const socket = new WebSocket(`${location.origin.replace("http", "ws")}/.tandem/session/socket?${about}`);
    this.#socket = socket;
    this.#out = new Outbox(socket);
    socket.binaryType = "arraybuffer";
    const lost = (code: number, reason = ""): void => {
      if (this.#socket === socket) guarded(() => this.#lost(code, reason));
    };
    this.#timer = setTimeout(() => lost(0), OPENING);
    socket.onopen = () => {
      if (this.#socket !== socket) return socket.close();
      clearTimeout(this.#timer);
      this.#backoff.reset();
      this.#restarting = false;
      this.#pulse = new Pulse(
        () => this.send({ type: "alive" }),
        () => lost(0),
      );
      guarded(() => this.listener.line("open"));
    };
    socket.onmessage = ({ data }) => {
      if (this.#socket !== socket || typeof data !== "string") return;
      this.#pulse?.heard();
      guarded(() => this.listener.message(JSON.parse(data) as ToCustomer | Act));
    };
    socket.onclose = ({ code, reason }) => lost(code, reason);
  }

  #lost(code: number, reason: string): void {
    this.#drop()?.close();
    if (this.#closed.signal.aborted) return;
    if (code === ENDED) {
      this.close();
      this.listener.over(reason);
      return;
    }
    if (code === TAKEN_OVER) {
      this.#elsewhere = true;
      this.listener.line("elsewhere");
      return;
    }
    if (code === PROTOCOL && reason.endsWith(TOO_LARGE)) {
      // Trying again would not make it smaller; another page is another try.
      this.listener.line("too_large");
      return;
    }
    if (code === PROTOCOL) {
      const now = performance.now();
      if (now - this.#misunderstood > FORGIVEN) this.#misunderstandings = 0;
      this.#misunderstood = now;
      if (++this.#misunderstandings >= MISUNDERSTANDINGS) {
        this.listener.line("broken");
        return;
      }
    }
    this.#restarting ||= code === RESTARTING;
    this.listener.line(this.#restarting ? "restarting" : "lost");
    this.#timer = setTimeout(() => this.#open(), this.#backoff.next());
  }
}
