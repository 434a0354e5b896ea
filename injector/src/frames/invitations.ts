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
  guests: Pick<Invitations, "invited" | "outline"> | undefined;
  /** Tells the server. */
  send(message: FromCustomer): void;
}

type Ticket = Extract<ToCustomer, { type: "ticket" }>;

/** What the part hands over: a frame of the host shows what its script can not reach; `hosts` are the origins of the site. */
export type Meet = (frame: Element, host: Host, hosts: readonly string[] | null) => void;

/** All invitations of one document. */
export class Invitations {
  /** The epoch whose frames these are. */
  #of: Recorder | null = null;
  #host: Host | null = null;
  /** The origins of the site. */
  #hosts: readonly string[] = [];
  /** Frames that were asked, and the origin that answered. */
  #asked = new Map<Element, string | null>();

  constructor() {
    addEventListener("message", (event) => guarded(() => this.#heard(event)));
  }

  /** A frame shows what our script can not reach into. Nothing new of one that was asked. */
  meet(frame: Element, host: Host, hosts: readonly string[]): void {
    const { recorder } = host;
    if (this.#of !== recorder) {
      this.#of = recorder;
      this.#asked = new Map();
    }
    this.#host = host;
    this.#hosts = hosts;
    host.guests = this;
    if (this.#asked.has(frame) || !mayBeOurs(frame, hosts)) return;
    this.#asked.set(frame, null);
    // Whatever it shows after this one is asked anew.
    frame.addEventListener("load", this.#loaded);
    ask(frame);
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

  #tell(frame: Element, word: FrameWord): void {
    const origin = this.#asked.get(frame);
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
    if (!this.#recorder || !this.#asked.has(frame)) frame.removeEventListener("load", this.#loaded);
    else if (mayBeOurs(frame, this.#hosts)) ask(frame);
  };

  #heard({ data, origin, source }: MessageEvent): void {
    const recorder = this.#recorder;
    if ((data as FrameWord | null)?.tandem !== "here" || !recorder || !this.#hosts.includes(origin)) return;
    for (const frame of this.#asked.keys()) {
      if ((frame as HTMLIFrameElement).contentWindow !== source) continue;
      this.#asked.set(frame, origin);
      // The server has to have the frame.
      recorder.flush();
      const id = recorder.known.id(frame);
      if (id) this.#host?.send({ type: "invite", epoch: recorder.epoch, frame: id });
      return;
    }
  }
}

/** Asks what a frame shows: without a secret, since nobody knows who is there. */
function ask(frame: Element): void {
  (frame as HTMLIFrameElement).contentWindow?.postMessage({ tandem: "who" } satisfies FrameWord, "*");
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
