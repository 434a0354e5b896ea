/**
 * What the customer sees and presses during a session: the panel, the question, the end.
 *
 * Every button needs a real gesture. The panel says at any time how the session stands, and how to leave it.
 */

import type { EndReason, Status } from "../protocol/words.ts";
import { remaining } from "../wire/remaining.ts";
import type { Line } from "./connection.ts";
import { button, make } from "./elements.ts";
import type { Stage } from "./stage.ts";
import type { Words } from "./words.ts";

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
/** How long the last message stays, in milliseconds. */
const FAREWELL = 30_000;

type Side = "start" | "end";
/** Where the tab remembers the side on which the panel stands. */
const SIDE = "tandem-side";

/** The widget of one session. */
export class Widget {
  readonly #panel: HTMLElement;
  readonly #status = make("p", "status", "", { role: "status" });
  /** Runs down without being read out every second. */
  readonly #countdown = make("p", "countdown", "", { role: "timer" });
  readonly #ticking: ReturnType<typeof setInterval>;
  /** When what the status says comes true, by `Date.now()`. */
  #until: number | null = null;
  /** When the line was lost, and how long the session then waits, in milliseconds. */
  #lostAt: number | null = null;
  #patience = 0;
  readonly #id = make("output", "id", "", { id: "session-id" });
  readonly #showHidden = make("label", "switch");
  readonly #people = make("p", "status");
  readonly #takeBack: HTMLButtonElement;
  readonly #pause: HTMLButtonElement;
  readonly #details: HTMLButtonElement;
  readonly #dialog: HTMLDialogElement;
  #status0: Status | null = null;
  #line: Line = "open";
  #message = "";
  #asking = false;

  constructor(
    readonly stage: Stage,
    readonly words: Words,
    readonly choices: Choices,
  ) {
    const panel = make("section", "panel", "", { role: "dialog", "aria-label": words.title });
    this.#panel = panel;
    const head = make("div", "head");
    this.#details = button(words.details, "small", () => this.#fold(!("small" in panel.dataset)));
    this.#details.hidden = true;
    const move = button("\u21c6", "small", () =>
      this.#stand(panel.dataset.side === "start" ? "end" : "start"),
    );
    move.title = words.move;
    move.ariaLabel = words.move;
    head.append(make("span", "dot"), make("span", "grow", words.title), this.#details, move);
    this.#stand(stood());

    const details = make("div", "details");
    const row = make("div", "row");
    const copy = button(words.copy, "", () => this.#copy(copy));
    row.append(this.#id, copy);
    details.append(
      make("label", "label", words.sessionId, { for: "session-id" }),
      row,
      make("p", "tell", words.tell),
    );

    const toggle = make("input", "", "", { type: "checkbox", role: "switch" });
    toggle.addEventListener("change", () => choices.showHidden(toggle.checked));
    this.#showHidden.hidden = true;
    this.#showHidden.append(toggle, words.showHidden);

    const buttons = make("div", "buttons");
    this.#takeBack = button(words.takeBack, "main", () => choices.takeBack());
    this.#takeBack.hidden = true;
    this.#pause = button(words.pause, "", () => choices.pause(!this.#status0?.paused));
    this.#pause.hidden = true;
    buttons.append(
      this.#takeBack,
      this.#pause,
      button(words.exit, "", () => choices.exit()),
    );
    panel.append(head, this.#status, this.#countdown, this.#people, details, this.#showHidden, buttons);

    this.#dialog = make("dialog", "", "", { "aria-labelledby": "ask", "aria-describedby": "why" });
    const answers = make("div", "buttons");
    answers.append(
      button(words.notNow, "", () => this.#answer(false)),
      button(words.allow, "main", () => this.#answer(true)),
    );
    this.#dialog.append(
      make("h2", "", words.askTitle, { id: "ask" }),
      make("p", "", words.askText, { id: "why" }),
      answers,
    );
    // Escape is an answer too. A script that closes the dialog only says no.
    this.#dialog.addEventListener("close", () => {
      if (this.#asking && !this.#dialog.open) this.#answer(false);
    });
    stage.box.append(panel, this.#dialog);
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
    this.#id.textContent = sessionId;
  }

  /** Moves the keyboard to the panel: the customer has just pressed Co-browse. */
  focus(): void {
    this.#panel.tabIndex = -1;
    this.#panel.focus({ preventScroll: true });
  }

  /** Shows how the session stands. */
  update(status: Status): void {
    const { words } = this;
    const before = this.#status0;
    this.#status0 = status;
    const agent = status.agentName ?? words.agent;
    const modeChanged = before && (before.mode !== status.mode || before.modeReason !== status.modeReason);
    const soon = status.endsSoon;
    const seconds = status.agentAway?.seconds ?? soon?.seconds;
    this.#until = seconds === undefined ? null : Date.now() + seconds * SECOND;
    if (status.paused) this.#message = words.paused(agent);
    else if (status.agentAway) this.#message = words.away(agent, status.agentAway.why);
    else if (soon) this.#message = words.endsSoon(soon.reason);
    else if (status.phase === "idle") this.#message = words.waiting;
    else if (before?.agent === "away") this.#message = words.back(agent);
    else if (before?.paused) this.#message = words.joined(agent);
    else if (modeChanged || (!before && status.modeReason !== "initial"))
      this.#message = this.#modeMessage(status, agent);
    else if (before?.phase !== "active" || before.endsSoon) this.#message = words.joined(agent);
    if (status.phase === "active" && before?.phase !== "active") {
      this.#details.hidden = false;
      this.#fold(true);
    }
    const there = status.agent === "present" && !status.watchers.includes(agent) ? [agent] : [];
    const people = status.paused ? [] : [...there, ...status.watchers];
    this.#people.textContent = status.watchers.length > 0 && people.length > 0 ? words.people(people) : "";
    this.#pause.hidden = status.phase !== "active";
    this.#pause.textContent = status.paused ? words.resume : words.pause;
    this.#panel.dataset.paused = `${status.paused}`;
    this.#panel.dataset.phase = status.phase;
    this.#panel.dataset.mode = status.mode;
    this.#showHidden.hidden = status.phase !== "active";
    this.#takeBack.hidden = status.mode !== "write";
    this.#ask(status.writeRequested && status.phase === "active");
    this.#show();
  }

  /** Shows how the line is. */
  line(line: Line): void {
    this.#line = line;
    this.#lostAt = line === "open" ? null : (this.#lostAt ?? Date.now());
    this.#panel.dataset.line = line === "open" ? "open" : "lost";
    if (line !== "open") this.#ask(false);
    this.#show();
  }

  /** Takes everything away but why it ended. */
  end(reason: EndReason | null): void {
    clearInterval(this.#ticking);
    this.#ask(false);
    this.#panel.remove();
    this.#dialog.remove();
    if (!reason) return;
    const box = make("section", "panel ended");
    const text = make("p", "", "", { role: "status" });
    const away = (): void => box.remove();
    box.append(text, button(this.words.close, "small", away));
    this.stage.box.append(box);
    // A live region has to be on the page before its text is, to be read out.
    requestAnimationFrame(() => {
      text.textContent = this.words.ended[reason];
    });
    setTimeout(away, FAREWELL);
  }

  #modeMessage({ mode, modeReason }: Status, agent: string): string {
    const { words } = this;
    if (mode === "write") return words.writing(agent);
    switch (modeReason) {
      case "declined":
        return words.declined(agent);
      case "taken_back":
        return words.takenBack(agent);
      case "given_back":
        return words.givenBack(agent);
      case "interrupted":
        return words.interrupted(agent);
      case "paused":
        return words.paused(agent);
      case "initial":
      case "allowed":
        return words.joined(agent);
    }
  }

  #show(): void {
    const text = this.#line === "open" ? this.#message : this.words[this.#line];
    if (this.#status.textContent !== text) this.#status.textContent = text;
    this.#tick();
  }

  #tick(): void {
    const lost = this.#line === "lost" || this.#line === "restarting";
    const until = lost && this.#lostAt && this.#patience ? this.#lostAt + this.#patience : this.#until;
    const shown = until !== null && (lost || this.#line === "open");
    this.#countdown.hidden = !shown;
    const text = shown ? remaining(until - Date.now()) : "";
    if (this.#countdown.textContent !== text) this.#countdown.textContent = text;
  }

  #fold(small: boolean): void {
    this.#panel.toggleAttribute("data-small", small);
    this.#details.setAttribute("aria-expanded", `${!small}`);
  }

  /** What of the page is in the panel's corner can be reached once it stands in the other; it stays there over pages. */
  #stand(side: Side): void {
    this.#panel.dataset.side = side;
    try {
      sessionStorage.setItem(SIDE, side);
    } catch {
      // A page without storage: it starts in its usual corner again.
    }
  }

  #ask(open: boolean): void {
    this.#asking = open;
    if (open === this.#dialog.open) return;
    if (open) this.#dialog.showModal();
    else this.#dialog.close();
  }

  #answer(allow: boolean): void {
    this.#asking = false;
    this.#dialog.close();
    this.choices.answer(allow);
  }

  #copy(copy: HTMLButtonElement): void {
    const done = (): void => {
      copy.textContent = this.words.copied;
      setTimeout(() => {
        copy.textContent = this.words.copy;
      }, 2000);
    };
    const select = (): void => {
      getSelection()?.selectAllChildren(this.#id);
    };
    if (navigator.clipboard) navigator.clipboard.writeText(this.#id.textContent ?? "").then(done, select);
    else select();
  }
}

/** The side on which the panel stood on the page before. */
function stood(): Side {
  try {
    return sessionStorage.getItem(SIDE) === "start" ? "start" : "end";
  } catch {
    return "end";
  }
}
