/**
 * What leaves by a socket, in order: large frames are deflated first, and what comes after one waits for it.
 */

import { LARGE } from "../protocol/words.ts";
import { deflate } from "./deflate.ts";

/** Of one socket. */
export class Outbox {
  /** While a frame is being deflated: what is to be sent after it. */
  #later: Array<string | Uint8Array<ArrayBuffer>> | null = null;

  constructor(readonly socket: WebSocket) {}

  /** Bytes that wait to leave. */
  get waiting(): number {
    return this.#later ? Number.POSITIVE_INFINITY : this.socket.bufferedAmount;
  }

  /** Sends something, if the line is open. */
  put(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (this.#later) this.#later.push(data);
    else this.socket.send(data);
  }

  /** Sends a frame of the page, if the line is open. */
  frame(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#later || bytes.length < LARGE) {
      this.put(bytes);
      return;
    }
    this.#later = [];
    deflate(bytes)
      .catch(() => bytes)
      .then((packed) => {
        const later = this.#later ?? [];
        this.#later = null;
        for (const data of [packed, ...later]) this.put(data);
      });
  }
}
