/**
 * What the customer sees and presses during a session: the panel, the question, the end.
 *
 * Every button needs a real gesture. The panel says at any time how the session stands, and how to leave it.
 */

import type { Consent } from "../../asks/consent.ts";
import type { Asks } from "../../asks/main.ts";
import type { Farewell } from "../../farewell/main.ts";
import type { EndReason, Status } from "../../protocol/words.ts";
import { remaining } from "../../wire/remaining.ts";
import type { Line } from "../connection.ts";
import type { Words } from "../words.ts";
import { offline, people, standing } from "./messages.ts";
import { Moving, type MovingPage } from "./moving.ts";
import { Panel } from "./panel.ts";

/** What the customer can do. */
export interface Choices {
  exit(): void;
  answer(allow: boolean): void;
  takeBack(): void;
  /** Share nothing for now, or go on. */
  pause(on: boolean): void;
  /** The switch that shows what the agent does not see. */
  showHidden(on: boolean): void;
}

const SECOND = 1000;
/** So often it is tried, a second apart, to say why the session is over: the line may be down just then. */
const FAREWELLS = 30;

/** The widget of one session. */
export class Widget {
  readonly #panel: Panel;
  readonly #moving: Moving;
  /** Loaded with the first question. */
  #consent: Promise<Consent> | null = null;
  /** Whether the customer is to be asked now. */
  #asking = false;
  readonly #ticking: ReturnType<typeof setInterval>;
  /** When what the status says comes true, by `Date.now()`. */
  #until: number | null = null;
  /** When the line was lost, and how long the session then waits, in milliseconds. */
  #lostAt: number | null = null;
  #patience = 0;
  #status: Status | null = null;
  #line: Line = "open";
  #said = "";
  #private = false;

  constructor(
    readonly words: Words,
    readonly page: MovingPage,
    readonly choices: Choices,
  ) {
    this.#panel = new Panel(page.stage, words, {
      ...choices,
      pause: () => choices.pause(!this.#status?.paused),
    });
    this.#moving = new Moving(this.#panel, page);
    this.#ticking = setInterval(() => this.#tick(), SECOND);
    this.#tick();
  }

  /** The server knows this page: the ID, and how many seconds a session waits for a customer who is away. */
  welcome(sessionId: string, patience: number): void {
    this.showId(sessionId);
    this.#patience = patience * SECOND;
  }

  /** Shows the ID to read out. */
  showId(sessionId: string): void {
    this.#panel.showId(sessionId);
  }

  /** Moves the keyboard to the panel: the customer has just pressed Co-browse. */
  focus(): void {
    this.#panel.focus();
  }

  /** Whether the policy keeps the whole page from the agent. */
  keepPrivate(on: boolean): void {
    this.#private = on;
    if (this.#status) this.update(this.#status);
  }

  /** Shows how the session stands. */
  update(status: Status): void {
    const { words } = this;
    const before = this.#status;
    const seconds = status.agentAway?.seconds ?? status.endsSoon?.seconds;
    if (status !== before) this.#until = seconds === undefined ? null : Date.now() + seconds * SECOND;
    this.#said = standing(words, { status, before, said: this.#said, privatePage: this.#private });
    this.#status = status;
    const active = status.phase === "active";
    this.#panel.offer(active, status.mode === "write", status.paused);
    Object.assign(this.#panel.box.dataset, {
      paused: status.paused || this.#private,
      phase: status.phase,
      mode: status.mode,
    });
    this.#ask(status.writeRequested && active);
    this.#show();
  }

  /** Shows how the line is. */
  line(line: Line): void {
    this.#line = line;
    this.#lostAt = line === "open" ? null : (this.#lostAt ?? Date.now());
    this.#panel.box.dataset.line = line === "open" ? "open" : "lost";
    if (line !== "open") this.#ask(false);
    this.#show();
  }

  /** Takes everything away but why it ended. */
  end(reason: EndReason | null): void {
    clearInterval(this.#ticking);
    this.#moving.stop();
    this.#asking = false;
    this.#consent?.then(
      (consent) => consent.stop(),
      () => {},
    );
    this.#panel.box.remove();
    if (reason) this.#bid(reason, FAREWELLS);
  }

  /** Says why it ended, with what is loaded only then. */
  #bid(reason: EndReason, tries: number): void {
    const { bridge, stage } = this.page;
    bridge.load<Farewell>("farewell").then(
      (farewell) => farewell(stage, this.words, reason),
      () => tries > 1 && setTimeout(() => this.#bid(reason, tries - 1), SECOND),
    );
  }

  /** Asks whether the agent may type and click, or does not any more. */
  #ask(open: boolean): void {
    this.#asking = open;
    const { page, words, choices } = this;
    if (open)
      this.#consent ??= page.bridge
        .load<Asks>("asks")
        .then((asks) => asks.consent(page.stage, words, (allow) => choices.answer(allow)));
    this.#consent?.then(
      (consent) => consent.ask(this.#asking),
      () => {
        this.#consent = null;
      },
    );
  }

  #show(): void {
    const { words } = this;
    const text = this.#line === "open" ? this.#said : offline(words, this.#line);
    this.#panel.say(text, this.#status ? people(words, this.#status) : "");
    this.#tick();
  }

  #tick(): void {
    // What asks may not have come, or not be on the page.
    if (this.#asking) this.#ask(true);
    const lost = this.#line === "lost" || this.#line === "restarting";
    const until = lost && this.#lostAt && this.#patience ? this.#lostAt + this.#patience : this.#until;
    const shown = until !== null && (lost || this.#line === "open");
    this.#panel.count(shown ? remaining(until - Date.now(), this.words.language) : "");
  }
}
