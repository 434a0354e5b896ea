/**
 * The panel: how the session stands, the ID to read out, and the buttons of the customer.
 *
 * Before the agent has come it is as large as it has to be; then it folds to what is needed at any time.
 */

import { button, make } from "../elements.ts";
import type { Stage } from "../stage.ts";
import type { Words } from "../words.ts";

/** What the panel's buttons do. */
export interface PanelChoices {
  exit(): void;
  takeBack(): void;
  pause(): void;
  showHidden(on: boolean): void;
}

/** How long the button says that it has copied, in milliseconds. */
const COPIED = 2000;

/** The panel of one session. */
export class Panel {
  readonly box: HTMLElement;
  readonly head = make("div", "head");
  readonly grip: HTMLButtonElement;
  readonly #status = make("p", "status", "", { role: "status" });
  /** Runs down without being read out every second. */
  readonly #countdown = make("p", "countdown", "", { role: "timer" });
  readonly #id = make("output", "id", "", { id: "session-id", dir: "ltr" });
  readonly #people = make("p", "people");
  readonly #showHidden = make("label", "switch");
  readonly #takeBack: HTMLButtonElement;
  readonly #pause: HTMLButtonElement;
  readonly #details: HTMLButtonElement;

  constructor(
    stage: Stage,
    readonly words: Words,
    choices: PanelChoices,
  ) {
    const box = make("section", "panel", "", { role: "dialog", "aria-label": words.title });
    this.box = box;
    this.grip = button("", "icon grip", () => {}, words.move);
    this.grip.title = words.move_how;
    this.grip.setAttribute("aria-describedby", "how");
    this.#details = button("", "icon more", () => this.#fold(!("small" in box.dataset)), words.details);
    this.#details.hidden = true;
    this.head.append(
      this.grip,
      make("span", "dot"),
      make("strong", "title", words.title),
      this.#details,
      make("span", "", words.move_how, { id: "how", hidden: "" }),
    );

    const details = make("div", "details");
    const row = make("div", "row");
    const copy = button(words.copy, "", () => this.#copy(copy));
    row.append(this.#id, copy);
    details.append(
      make("label", "label", words.session_id, { for: "session-id" }),
      row,
      make("p", "tell", words.tell),
    );

    const toggle = make("input", "", "", { type: "checkbox", role: "switch" });
    toggle.addEventListener("change", () => choices.showHidden(toggle.checked));
    this.#showHidden.hidden = true;
    this.#showHidden.append(toggle, words.show_hidden);

    const buttons = make("div", "buttons");
    this.#takeBack = button(words.take_back, "main", () => choices.takeBack());
    this.#takeBack.hidden = true;
    this.#pause = button(words.pause, "", () => choices.pause());
    this.#pause.hidden = true;
    buttons.append(
      this.#takeBack,
      this.#pause,
      button(words.exit, "", () => choices.exit()),
    );
    const body = make("div", "body");
    body.append(this.#status, this.#countdown, this.#people, details, this.#showHidden, buttons);
    box.append(this.head, body);
    stage.box.append(box);
  }

  /** Shows the ID to read out. */
  showId(sessionId: string): void {
    this.#id.textContent = sessionId;
  }

  /** Moves the keyboard to the panel. */
  focus(): void {
    this.box.tabIndex = -1;
    this.box.focus({ preventScroll: true });
  }

  /** Says how the session stands. What has not changed is not read out again. */
  say(status: string, people: string): void {
    if (this.#status.textContent !== status) this.#status.textContent = status;
    if (this.#people.textContent !== people) this.#people.textContent = people;
  }

  /** Shows the time that is left, or none. */
  count(text: string): void {
    this.#countdown.hidden = !text;
    if (this.#countdown.textContent !== text) this.#countdown.textContent = text;
  }

  /** Shows the buttons for how the session stands; `sees`: an agent is there, or was. */
  offer(sees: boolean, writes: boolean, paused: boolean): void {
    this.#pause.hidden = !sees;
    this.#pause.textContent = paused ? this.words.resume : this.words.pause;
    this.#showHidden.hidden = !sees;
    this.#takeBack.hidden = !writes;
    if (!sees || !this.#details.hidden) return;
    this.#details.hidden = false;
    this.#fold(true);
  }

  #fold(small: boolean): void {
    this.box.toggleAttribute("data-small", small);
    this.#details.setAttribute("aria-expanded", `${!small}`);
  }

  #copy(copy: HTMLButtonElement): void {
    const done = (): void => {
      copy.textContent = this.words.copied;
      setTimeout(() => {
        copy.textContent = this.words.copy;
      }, COPIED);
    };
    const select = (): void => {
      getSelection()?.selectAllChildren(this.#id);
    };
    if (navigator.clipboard) navigator.clipboard.writeText(this.#id.textContent ?? "").then(done, select);
    else select();
  }
}
