/**
 * Brings the server what this page has loaded and it does not have: pictures, styles, fonts and media, and nothing else.
 */

import type { Reread } from "../reread/main.ts";

/** At most so many at once. */
const AT_ONCE = 4;
/** At most so many waiting; more are not to be had. */
const MOST = 512;
/** Largest body, in bytes. */
const LARGEST = 8 * 1024 * 1024;
/** How long a picture may take to be had, in milliseconds. */
const SLOWEST = 8000;
const KINDS =
  /^(image|audio|video|font)\/|^text\/css\b|^application\/(x-)?font|^application\/vnd\.ms-fontobject/i;

interface Want {
  readonly want: number;
  readonly url: string;
}

/** The wants of one session. */
export class Wants {
  readonly #queue: Want[] = [];
  #running = 0;

  /**
   * `unavailable` is told of what can not be had; `reread` loads what looks in the document where its address alone does not do;
   * `pass` opens the way to the session where the customer's cookie does not.
   */
  constructor(
    readonly unavailable: (want: number) => void,
    readonly reread: () => Promise<Reread>,
    readonly pass = "1",
  ) {}

  /** Brings `url`. */
  add(want: number, url: string): void {
    if (this.#queue.length >= MOST) this.unavailable(want);
    else this.#queue.push({ want, url });
    this.#next();
  }

  /** Brings nothing more of what waits; it is asked for again. */
  clear(): void {
    this.#queue.length = 0;
  }

  #next(): void {
    while (this.#running < AT_ONCE) {
      const item = this.#queue.shift();
      if (!item) return;
      this.#running++;
      bring(item, this)
        .catch(() => this.unavailable(item.want))
        .finally(() => {
          this.#running--;
          this.#next();
        });
    }
  }
}

async function load(url: string): Promise<Blob> {
  // A host that does not answer must not hold up the agent's page.
  const signal = AbortSignal.timeout(SLOWEST);
  const answer = await fetch(url, { cache: "force-cache", credentials: "same-origin", signal });
  const type = answer.headers.get("Content-Type") ?? "";
  if (!answer.ok || !KINDS.test(type) || Number(answer.headers.get("Content-Length")) > LARGEST) {
    await answer.body?.cancel();
    throw new Error("not a resource");
  }
  // With the type that the answer has.
  return new Response(await answer.arrayBuffer(), { headers: { "Content-Type": type } }).blob();
}

async function bring({ want, url }: Want, { reread, pass }: Wants): Promise<void> {
  const image = [...document.images].find(
    (image) => !(image.complete && image.naturalWidth) && (image.currentSrc || image.src) === url,
  );
  const loading = !image?.complete;
  if (image && (await (await reread()).comesByItself(image, loading)))
    throw new Error("it comes by itself, or not at all");
  const body = await load(url).catch(async () => (await reread()).reread(url));
  if (body.size > LARGEST) throw new Error("too large");
  const taken = await fetch(`/.tandem/session/resource?want=${want}`, {
    method: "POST",
    headers: { Tandem: pass, "Content-Type": body.type },
    body,
  });
  if (!taken.ok) throw new Error("not taken");
}
