/**
 * The line to the server: one WebSocket, opened again for as long as the session lives and this tab is the one in use.
 */

import type { Act, FromCustomer, ToCustomer } from "../protocol/words.ts";
import { guarded } from "./guarded.ts";

/** The session is over, or the server does not know it. */
const ENDED = 4001;
/** Another tab of this customer has taken over. */
const TAKEN_OVER = 4002;
/** One side did not understand the other. */
const PROTOCOL = 4003;
/** First and longest wait before the next try, in milliseconds. */
const [SHORTEST, LONGEST] = [250, 5000];
/** So often in a row a connection may fail for [`PROTOCOL`] before this page gives up. */
const MISUNDERSTANDINGS = 4;
/** A misunderstanding this long after the last one, in milliseconds, starts a new row. */
const FORGIVEN = 30_000;

/** Longest address that is told when connecting, in UTF-16 units. */
const LONGEST_ADDRESS = 2000;

/** How the line is. */
export type Line = "open" | "lost" | "elsewhere" | "broken";

/** Who listens. */
export interface Listener {
  /** A message has come. */
  message(message: ToCustomer | Act): void;
  /** The line has changed. */
  line(line: Line): void;
  /** The session is over; nothing more will come. */
  over(): void;
}

/** Keeps the line up. */
export class Connection {
  #socket: WebSocket | null = null;
  #wait = SHORTEST;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #misunderstandings = 0;
  #misunderstood = 0;
  #elsewhere = false;
  #closed = false;

  /** Connects as soon as this tab is visible. */
  constructor(readonly listener: Listener) {
    document.addEventListener("visibilitychange", this.#inUse);
    addEventListener("focus", this.#inUse);
    addEventListener("pageshow", this.#inUse);
    this.#open();
  }

  /** Bytes that wait to leave. */
  get waiting(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Whether messages can leave now. */
  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends a message, if the line is open. */
  send(message: FromCustomer): void {
    if (this.isOpen) this.#socket?.send(JSON.stringify(message));
  }

  /** Sends a frame of the page, if the line is open. */
  frame(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.isOpen) this.#socket?.send(bytes);
  }

  /** Starts over with a new socket. */
  restart(): void {
    this.#socket?.close(PROTOCOL);
  }

  /** Closes the line for good. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#inUse);
    removeEventListener("focus", this.#inUse);
    removeEventListener("pageshow", this.#inUse);
    this.#socket?.close();
  }

  readonly #inUse = (): void => {
    if (this.#elsewhere && document.hidden) return;
    this.#elsewhere = false;
    this.#open();
  };

  #open(): void {
    if (this.#closed || this.#elsewhere || document.hidden) return;
    const state = this.#socket?.readyState;
    if (state === WebSocket.OPEN || state === WebSocket.CONNECTING) return;
    clearTimeout(this.#timer);
    // The address tells which values are to be withheld; without what is behind "#", which is none of the server's business.
    const address = location.href.split("#")[0]?.slice(0, LONGEST_ADDRESS) ?? "";
    const socket = new WebSocket(
      `${location.origin.replace("http", "ws")}/.tandem/session/socket?url=${encodeURIComponent(address)}`,
    );
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#wait = SHORTEST;
      guarded(() => this.listener.line("open"));
    };
    socket.onmessage = ({ data }) => {
      if (this.#socket !== socket || typeof data !== "string") return;
      guarded(() => this.listener.message(JSON.parse(data) as ToCustomer | Act));
    };
    socket.onclose = ({ code }) => {
      if (this.#socket === socket) guarded(() => this.#lost(code));
    };
  }

  #lost(code: number): void {
    this.#socket = null;
    if (this.#closed) return;
    if (code === ENDED) {
      this.close();
      this.listener.over();
      return;
    }
    if (code === TAKEN_OVER) {
      this.#elsewhere = true;
      this.listener.line("elsewhere");
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
    this.listener.line("lost");
    this.#timer = setTimeout(() => this.#open(), this.#wait * (0.5 + Math.random()));
    this.#wait = Math.min(this.#wait * 2, LONGEST);
  }
}
