/**
 * When the panel has to move: at the customer's hand, out of the way of what they type into, above an on-screen keyboard.
 *
 * What moves it is loaded only then, and is handed what was done to the panel meanwhile.
 */

import type { Bridge } from "../../loader/bridge.ts";
import type { MakePlace, Place } from "../../place/place.ts";
import { controlKind, focused, type Roots } from "../dom.ts";
import { guarded } from "../guarded.ts";
import type { Realms } from "../realms.ts";
import type { Stage } from "../stage.ts";
import { until } from "../until.ts";
import type { Panel } from "./panel.ts";
import { GAP, kept, type Share, stand } from "./stand.ts";

/** What it needs of the page. */
export interface MovingPage {
  readonly bridge: Bridge;
  readonly stage: Stage;
  readonly realms: Realms;
  readonly roots: Roots;
}

/** What was done to the panel and may wait; more is lost. */
const MOST = 200;

/** The moves of one panel. */
export class Moving {
  readonly #over = new AbortController();
  readonly #at: Share;
  #place: Place | null = null;
  #loading = false;
  /** What waits, in turn. */
  #early: Event[] = [];
  #frame = 0;

  constructor(
    readonly panel: Panel,
    readonly page: MovingPage,
  ) {
    const { signal } = this.#over;
    const { stage, realms } = page;
    this.#at = kept(stage.look.corner ?? `bottom-${stage.box.dir === "rtl" ? "left" : "right"}`);
    stand(panel.box, this.#at);
    panel.head.addEventListener("pointerdown", (event) => {
      const on = (event.target as Element).closest("button");
      if (on && on !== panel.grip) return;
      this.#hear(event);
      until(signal, window, ["pointermove", "pointerup", "pointercancel"], this.#hear, true);
    });
    for (const type of ["click", "keydown"]) panel.grip.addEventListener(type, this.#hear);
    for (const type of ["focusin", "focusout", "scroll", "input", "resize"] as const) {
      realms.listen(type, this.#soon, signal);
    }
    until(signal, window.visualViewport, ["resize", "scroll"], this.#soon);
    this.#soon();
  }

  /** The panel is gone. */
  stop(): void {
    this.#over.abort();
    cancelAnimationFrame(this.#frame);
  }

  /** Something was done to the panel. */
  readonly #hear = (event: Event): void => {
    if (!event.isTrusted) return;
    // The page would scroll, and can not be kept from it later.
    if (/^Arrow/.test((event as KeyboardEvent).key)) event.preventDefault();
    if (this.#place) {
      this.#place.take(event);
      return;
    }
    // Of a move only its end counts.
    if (this.#early.at(-1)?.type === "pointermove") this.#early.pop();
    if (this.#early.length < MOST) this.#early.push(event);
    this.#load();
  };

  /** The page, or the window, has changed. */
  readonly #soon = (): void => {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() =>
      guarded(() => {
        if (this.#place) this.#place.settle(true);
        else if (isNarrowed() || this.#covers()) this.#load();
      }),
    );
  };

  /** Whether the panel may be over what is typed into; what is in a frame, in doubt. */
  #covers(): boolean {
    const field = focused(this.page.roots) as HTMLElement | null;
    if (!field || !(field.isContentEditable || /text|select/.test(`${controlKind(field)}`))) return false;
    const one = field.getBoundingClientRect();
    const other = this.panel.box.getBoundingClientRect();
    return (
      field.ownerDocument !== document ||
      (one.left < other.right + GAP &&
        one.top < other.bottom + GAP &&
        one.right > other.left - GAP &&
        one.bottom > other.top - GAP)
    );
  }

  /** Until it is loaded, the panel stays where it stands. */
  #load(): void {
    if (this.#loading) return;
    this.#loading = true;
    this.page.bridge.load<MakePlace>("place").then(
      (make) => {
        if (this.#over.signal.aborted) return;
        this.#place = make(this.panel, this.page, this.#at);
        for (const event of this.#early) this.#place.take(event);
      },
      () => {
        this.#loading = false;
        this.#early = [];
      },
    );
  }
}

/** Whether an on-screen keyboard takes a part of the window, or the page is magnified. */
function isNarrowed(): boolean {
  const { visualViewport: view } = window;
  return !!view && view.height + 20 < innerHeight;
}
