/**
 * Keeps the WebSocket of a session alive and hands on what comes.
 *
 * A lost connection is tried again, each time later, until the server says that it is of no use. Whoever
 * uses it starts from nothing after each `opened`.
 */

import type { FromAgent, ToAgent } from "../protocol/words.ts";

/** Why there will be no further connection. */
export type Closed = "ended" | "elsewhere" | "broken" | "login" | "taken";

export type ConnectionEvents = {
  opened(): void;
  view(bytes: Uint8Array): void;
  message(message: ToAgent): void;
  /** Lost; it is being tried again. */
  lost(): void;
  closed(why: Closed): void;
};

const CLOSE_CODES: Record<number, Closed> = {
  4001: "ended",
  4002: "elsewhere",
  4003: "broken",
  4004: "login",
  4005: "taken",
};

/** Waits between tries, in milliseconds; the last one stays. */
const WAITS = [300, 700, 1500, 3000, 5000, 8000];
/** More than this waiting to be sent, in bytes, and pointer positions are left out. */
const BUSY = 64 * 1024;

export class Connection {
  readonly #url: string;
  readonly #events: ConnectionEvents;
  #socket: WebSocket | null = null;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(url: string, events: ConnectionEvents) {
    this.#url = url;
    this.#events = events;
  }

  open(): void {
    clearTimeout(this.#timer);
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#tries = 0;
      this.#events.opened();
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (data instanceof ArrayBuffer) this.#events.view(new Uint8Array(data));
      else if (typeof data === "string") this.#text(data);
    };
    socket.onclose = ({ code }) => this.#closed(code);
  }

  /** Sends if connected; what could not be sent is not kept, as it was meant for that moment. */
  send(message: FromAgent): void {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (message.type === "pointer" && socket.bufferedAmount > BUSY) return;
    socket.send(JSON.stringify(message));
  }

  /** No more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  /** Try now instead of later. */
  hurry(): void {
    if (this.#timer !== undefined) this.open();
    this.#timer = undefined;
  }

  #text(data: string): void {
    let message: ToAgent;
    try {
      message = JSON.parse(data) as ToAgent;
    } catch {
      return;
    }
    this.#events.message(message);
  }

  #closed(code: number): void {
    if (this.#stopped) return;
    const why = CLOSE_CODES[code];
    if (why) {
      this.#stopped = true;
      this.#events.closed(why);
      return;
    }
    this.#events.lost();
    const wait = WAITS[Math.min(this.#tries, WAITS.length - 1)] ?? 0;
    this.#tries += 1;
    // Agents whose server was restarted do not all come back at the same instant.
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.open();
      },
      wait * (0.75 + Math.random() / 2),
    );
  }
}
