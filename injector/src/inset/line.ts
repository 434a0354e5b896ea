/**
 * The line of a frame's document to the server: opened with a ticket, and over when it closes.
 */

import { guarded } from "../customer/guarded.ts";
import type { Act, FromCustomer, ToCustomer } from "../protocol/words.ts";
import { Outbox } from "../wire/outbox.ts";

/** One connection. */
export class Line {
  readonly #socket: WebSocket;
  readonly #out: Outbox;

  /** `heard` is told what comes; `over` the code with which it has closed. */
  constructor(ticket: string, heard: (message: ToCustomer | Act) => void, over: (code: number) => void) {
    const about = new URLSearchParams({ ticket, url: location.href.split("#")[0] ?? "" });
    const address = `${location.origin.replace("http", "ws")}/.tandem/session/inset?${about}`;
    this.#socket = new WebSocket(address);
    this.#out = new Outbox(this.#socket);
    this.#socket.onmessage = ({ data }) =>
      guarded(() => heard(JSON.parse(data as string) as ToCustomer | Act));
    this.#socket.onclose = ({ code }) => guarded(() => over(code));
  }

  /** Bytes that wait to leave. */
  get waiting(): number {
    return this.#out.waiting;
  }

  /** Sends a message. */
  send(message: FromCustomer): void {
    this.#out.put(JSON.stringify(message));
  }

  /** Sends a frame of the document. */
  frame(bytes: Uint8Array<ArrayBuffer>): void {
    this.#out.frame(bytes);
  }

  /** Closes it without a word. */
  close(): void {
    this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket.close();
  }
}
