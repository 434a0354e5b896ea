/**
 * Keeps the WebSocket of a session alive and hands on what comes.
 *
 * A lost connection is tried again, each time later, until the server says that it is of no use. Whoever
 * uses it starts from nothing after each `opened`.
 */

import { DEFLATED, type FromAgent, type ToAgent } from "../protocol/words.ts";
import { Backoff } from "../wire/backoff.ts";
import { inflate } from "../wire/deflate.ts";
import { Pulse } from "../wire/pulse.ts";

/** Why there will be no further connection. */
export type Closed = "ended" | "elsewhere" | "broken" | "login" | "taken" | "busy";

/** Why there is none now. */
export type Lost = "lost" | "restarting";

export type ConnectionEvents = {
  opened(): void;
  view(bytes: Uint8Array): void;
  message(message: ToAgent): void;
  /** Lost; it is being tried again. */
  lost(why: Lost): void;
  /** For good; `reason` is the word for why the session ended, if it has. */
  closed(why: Closed, reason: string): void;
};

const CLOSE_CODES: Record<number, Closed> = {
  4001: "ended",
  4002: "elsewhere",
  4003: "broken",
  4004: "login",
  4005: "taken",
  4006: "busy",
};
/** The server is about to be started again. */
const RESTARTING = 1012;
/** How long opening may take, in milliseconds. */
const OPENING = 6000;
/** More than this waiting to be sent, in bytes, and pointer positions are left out. */
const BUSY = 64 * 1024;

export class Connection {
  readonly #url: string;
  readonly #events: ConnectionEvents;
  readonly #backoff = new Backoff();
  #socket: WebSocket | null = null;
  #pulse: Pulse | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The server said that it will be back. */
  #restarting = false;
  #stopped = false;
  /** While a view is being inflated: what came after it. */
  #later: unknown[] | null = null;

  constructor(url: string, events: ConnectionEvents) {
    this.#url = url;
    this.#events = events;
  }

  open(): void {
    this.#drop();
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#later = null;
    const closed = (code: number, reason = "") => {
      if (this.#socket === socket) this.#closed(code, reason);
    };
    this.#timer = setTimeout(() => closed(0), OPENING);
    socket.onopen = () => {
      if (this.#socket !== socket) return socket.close();
      clearTimeout(this.#timer);
      this.#backoff.reset();
      this.#restarting = false;
      this.#pulse = new Pulse(
        () => this.send({ type: "alive" }),
        () => closed(0),
      );
      this.#events.opened();
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (this.#socket !== socket) return;
      this.#pulse?.heard();
      this.#came(socket, data);
    };
    socket.onclose = ({ code, reason }) => closed(code, reason);
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
    this.#drop()?.close();
  }

  /** There is a reason to look now instead of later: the network is back, the window is looked at again. */
  hurry(): void {
    if (this.#stopped) return;
    if (!this.#socket) this.open();
    else if (this.#socket.readyState === WebSocket.OPEN) this.#pulse?.check();
  }

  /** Lets go of the socket: nothing of it is heard any more. */
  #drop(): WebSocket | null {
    const socket = this.#socket;
    this.#socket = null;
    this.#pulse?.stop();
    clearTimeout(this.#timer);
    return socket;
  }

  /** Everything in the order in which it came. */
  #came(socket: WebSocket, data: unknown): void {
    if (this.#later) this.#later.push(data);
    else if (typeof data === "string") this.#text(data);
    else if (data instanceof ArrayBuffer) this.#frame(socket, new Uint8Array(data));
  }

  #frame(socket: WebSocket, bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes[0] !== DEFLATED) {
      this.#events.view(bytes);
      return;
    }
    this.#later = [];
    inflate(bytes)
      // As it is, it can not be read either, and is asked for again.
      .catch(() => bytes)
      .then((view) => {
        if (this.#socket !== socket) return;
        const later = this.#later ?? [];
        this.#later = null;
        this.#events.view(view);
        for (const data of later) this.#came(socket, data);
      });
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

  #closed(code: number, reason: string): void {
    this.#drop()?.close();
    if (this.#stopped) return;
    const why = CLOSE_CODES[code];
    if (why) {
      this.#stopped = true;
      this.#events.closed(why, reason);
      return;
    }
    this.#restarting ||= code === RESTARTING;
    this.#events.lost(this.#restarting ? "restarting" : "lost");
    this.#timer = setTimeout(() => this.open(), this.#backoff.next());
  }
}
