/**
 * What the browser itself shows over the page and the agent would not know of: `alert` and its like, the print dialog, what
 * is wrong with a control, an open list or calendar.
 *
 * A box that stops the page is told before it opens, since nothing can be told while it is open.
 */

import type { Writer } from "../wire/writer.ts";
import { isElement, matches } from "./dom.ts";
import { guarded } from "./guarded.ts";
import { hook } from "./hooks.ts";
import type { KnownNodes } from "./known.ts";
import type { Realm } from "./realms.ts";
import type { Withholding } from "./withhold.ts";

const ALERT = 1;
const CONFIRM = 2;
const PROMPT = 3;
const PRINT = 4;
const LEAVE = 5;
const INVALID = 6;
const CHOOSING = 7;
/** Longest text, in UTF-16 units. */
const LONGEST = 2000;
/** How long a bubble stays, in milliseconds. */
const BUBBLE = 5000;

interface Notice {
  readonly kind: number;
  /** A control, or the document of which it is a box: told only while that is a part of the shared page. */
  readonly at: Element | Document;
  readonly text: string;
}

/** What notices need of the page. */
export interface NoticePage {
  /** Sends what is written at once. */
  flush(): void;
  /** The element that has the focus. */
  focus(): Element | null;
}

/** What is shown now, whether or not anybody is told. */
export class Notices {
  #writer: NoticeWriter | null = null;
  /** A script only asks whether controls are valid. */
  #checking = 0;

  /** Starts an epoch. */
  begin(known: KnownNodes, withholding: Withholding, page: NoticePage): NoticeWriter {
    this.#writer = new NoticeWriter(known, withholding, page, () => this.#checking > 0);
    return this.#writer;
  }

  /** A box of a document opens that stops the page. */
  open(kind: number, at: Document, text = ""): void {
    this.#writer?.show({ kind, at, text });
  }

  /** It is closed. */
  close(): void {
    this.#writer?.show(null);
  }

  /** `checkValidity` begins (1) or is done (−1). */
  check(step: number): void {
    this.#checking += step;
  }
}

/** Tells of the notices of one epoch. */
export class NoticeWriter {
  #now: Notice | null = null;
  #told = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly known: KnownNodes,
    readonly withholding: Withholding,
    readonly page: NoticePage,
    readonly checking: () => boolean,
  ) {}

  /** Stops for good. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Shows another notice, or none; told at once, for the page may be about to stop. */
  show(notice: Notice | null): void {
    clearTimeout(this.#timer);
    this.#now = notice;
    this.page.flush();
  }

  /** A control is not valid: the browser says so, unless a script does or only wanted to know. */
  invalid(event: Event): void {
    const at = event.target;
    if (this.checking() || !isElement(at)) return;
    setTimeout(() =>
      guarded(() => {
        if (event.defaultPrevented || (at.getRootNode() as Document).activeElement !== at) return;
        const held = this.withholding.holds(at);
        const text = held ? "" : (at as HTMLInputElement).validationMessage;
        this.show({ kind: INVALID, at, text });
        this.#timer = setTimeout(() => guarded(() => this.show(null)), BUBBLE);
      }),
    );
  }

  /** Whether a list has opened or closed, which no event tells. */
  moved(): boolean {
    return !this.#now && (this.#choosing() !== null) !== (this.#told !== "");
  }

  /** Tells what changed. */
  write(out: Writer): void {
    const now = [this.#now, this.#choosing()].find((one) => one && this.known.id(one.at));
    const at = isElement(now?.at) ? this.known.id(now.at) : 0;
    const text = now ? this.withholding.echoes.hide(now.text.slice(0, LONGEST)) : "";
    const key = now ? `${now.kind} ${at} ${text}` : "";
    if (key === this.#told) return;
    this.#told = key;
    out.byte(68);
    out.byte(now?.kind ?? 0);
    if (!now) return;
    out.uint(at);
    out.string(text);
  }

  /** The control whose list, calendar or palette is open, where the browser says so. */
  #choosing(): Notice | null {
    const at = this.page.focus();
    if (!at || !/^(select|input)$/.test(at.localName)) return null;
    return matches(at, ":open") ? { kind: CHOOSING, at, text: "" } : null;
  }
}

/** Hooks in what opens them. */
export function hookNotices(realm: Realm, notices: Notices): void {
  for (const [name, kind] of [
    ["alert", ALERT],
    ["confirm", CONFIRM],
    ["prompt", PROMPT],
    ["print", PRINT],
  ] as const) {
    hook(realm, name, {
      around: (call, args) => {
        guarded(() => notices.open(kind, realm.document, kind === PRINT ? "" : `${args[0] ?? ""}`));
        try {
          return call();
        } finally {
          guarded(() => notices.close());
        }
      },
    });
  }
  realm.addEventListener("beforeprint", () => guarded(() => notices.open(PRINT, realm.document)));
  realm.addEventListener("afterprint", () => guarded(() => notices.close()));
  // After the page's own handlers.
  realm.addEventListener("beforeunload", (event) => {
    if (!event.defaultPrevented && !event.returnValue) return;
    guarded(() => notices.open(LEAVE, realm.document));
    // Runs only when the customer stays.
    setTimeout(() => guarded(() => notices.close()));
  });
  for (const owner of [
    realm.HTMLInputElement,
    realm.HTMLSelectElement,
    realm.HTMLTextAreaElement,
    realm.HTMLButtonElement,
    realm.HTMLFieldSetElement,
    realm.HTMLFormElement,
  ]) {
    hook(owner.prototype, "checkValidity", {
      around: (call) => {
        notices.check(1);
        try {
          return call();
        } finally {
          notices.check(-1);
        }
      },
    });
  }
}
