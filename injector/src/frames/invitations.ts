/**
 * Invites the documents of other hosts in frames of what is shared: who is there is asked, and who answers from a host of the
 * site gets a ticket with which it joins the session by itself. Nothing of what is in such a frame passes here.
 */

import { guarded } from "../customer/guarded.ts";
import type { Hidden } from "../customer/outlines.ts";
import type { Recorder } from "../customer/recorder.ts";
import type { FrameWord } from "../loader/bridge.ts";
import type { FromCustomer, ToCustomer } from "../protocol/words.ts";

/** What shares the page that the frames are in. */
export interface Host {
  /** Of the running epoch. */
  readonly recorder: Recorder | null;
  /** Shows the customer what is hidden. */
  readonly hints: Pick<Hidden, "on">;
  /** Who is in its frames, once somebody may be. */
  guests: Pick<Invitations, "invited" | "outline" | "there"> | undefined;
  /** Tells the server. */
  send(message: FromCustomer): void;
}

type Ticket = Extract<ToCustomer, { type: "ticket" }>;

/** What the part hands over: a frame of the host shows what its script can not reach; `hosts` are the origins of the site. */
export type Meet = (frame: Element, host: Host, hosts: readonly string[] | null) => void;

/** A frame that was asked. */
interface Asked {
  /** Its number then. */
  readonly id: number;
  /** The origin that has answered, or null. */
  readonly origin: string | null;
  /** Until when an answer is waited for, and how long that is; in milliseconds. */
  readonly until: number;
  readonly patience: number;
}

/** How long an answer to the first question is waited for, in milliseconds: what asks a document before its loader runs is not heard. */
const PATIENCE = 500;

/** All invitations of one document. */
export class Invitations {
  /** The epoch whose frames these are. */
  #of: Recorder | null = null;
  #host: Host | null = null;
  /** The origins of the site. */
  #hosts: readonly string[] = [];
  #asked = new Map<Element, Asked>();

  constructor() {
    addEventListener("message", (event) => guarded(() => this.#heard(event)));
  }

  /** A frame shows what our script can not reach into; said again and again. */
  meet(frame: Element, host: Host, hosts: readonly string[]): void {
    const { recorder } = host;
    if (this.#of !== recorder) {
      this.#of = recorder;
      this.#asked = new Map();
    }
    this.#host = host;
    this.#hosts = hosts;
    host.guests = this;
    const id = recorder?.known.id(frame);
    if (!id) return;
    const asked = this.#asked.get(frame);
    const now = performance.now();
    if (asked?.id === id && (asked.origin || now < asked.until)) return;
    if (!mayBeOurs(frame, hosts)) return;
    const patience = asked?.id === id ? 2 * asked.patience : PATIENCE;
    this.#asked.set(frame, { id, origin: null, until: now + patience, patience });
    // Whatever it shows after this one is asked anew.
    frame.addEventListener("load", this.#loaded);
    ask(frame, id);
  }

  /** What answered from a frame may join. */
  invited({ frame, ticket }: Ticket): void {
    const element = this.#recorder?.known.node(frame);
    if (element) this.#tell(element as Element, { tandem: "join", ticket, outline: !!this.#host?.hints.on });
  }

  /** All of them outline what is hidden from now on, or do not. */
  outline(on: boolean): void {
    for (const frame of this.#asked.keys()) this.#tell(frame, { tandem: "outline", on });
  }

  /** The windows from which somebody of the site has answered, and their origins. */
  there(): Array<[Window, string]> {
    return [...this.#asked].flatMap(([frame, { origin }]) => {
      const view = (frame as HTMLIFrameElement).contentWindow;
      return origin && view ? [[view, origin]] : [];
    });
  }

  #tell(frame: Element, word: FrameWord): void {
    const origin = this.#asked.get(frame)?.origin;
    // Only who is still there gets it.
    if (origin) (frame as HTMLIFrameElement).contentWindow?.postMessage(word, origin);
  }

  /** Of the epoch that still runs, or null. */
  get #recorder(): Recorder | null {
    const recorder = this.#host?.recorder ?? null;
    return recorder === this.#of ? recorder : null;
  }

  readonly #loaded = ({ target }: Event): void => {
    const frame = target as Element;
    const asked = this.#recorder && this.#asked.get(frame);
    if (!asked) frame.removeEventListener("load", this.#loaded);
    else if (mayBeOurs(frame, this.#hosts)) ask(frame, asked.id);
  };

  #heard({ data, origin, source }: MessageEvent): void {
    const recorder = this.#recorder;
    const word = data as FrameWord | null;
    if (!recorder || !this.#hosts.includes(origin)) return;
    // What is there now is asked as soon as it is met.
    if (word?.tandem === "gone") this.#asked.delete(recorder.known.node(word.frame) as Element);
    if (word?.tandem !== "here") return;
    for (const [frame, asked] of this.#asked) {
      if ((frame as HTMLIFrameElement).contentWindow !== source) continue;
      // The server has to have the frame.
      recorder.flush();
      const id = recorder.known.id(frame);
      this.#asked.set(frame, { ...asked, id, origin });
      if (id && !word.joined) this.#host?.send({ type: "invite", epoch: recorder.epoch, frame: id });
      return;
    }
  }
}

/** Asks what a frame of this number shows: without a secret, since nobody knows who is there. */
function ask(frame: Element, id: number): void {
  (frame as HTMLIFrameElement).contentWindow?.postMessage(
    { tandem: "who", frame: id } satisfies FrameWord,
    "*",
  );
}

/** Whether the site has meant a frame for a page of its own: all others hear nothing of us. */
function mayBeOurs(frame: Element, hosts: readonly string[]): boolean {
  const address = frame.getAttribute(frame.localName === "object" ? "data" : "src");
  try {
    const url = new URL(address || "about:blank", frame.baseURI);
    return url.protocol === "about:" || hosts.includes(url.origin);
  } catch {
    return false;
  }
}
