/**
 * The question whether the agent may type and click. Only a real gesture answers it with yes.
 */

import { button, make } from "../customer/elements.ts";
import type { Stage } from "../customer/stage.ts";
import type { Words } from "../customer/words.ts";

/** The question of one session. */
export class Consent {
  readonly #dialog: HTMLDialogElement;
  #asking = false;

  constructor(
    stage: Stage,
    words: Words,
    readonly answered: (allow: boolean) => void,
  ) {
    const dialog = make("dialog", "", "", { "aria-labelledby": "ask", "aria-describedby": "why" });
    this.#dialog = dialog;
    const answers = make("div", "buttons");
    answers.append(
      button(words.not_now, "", () => this.#answer(false)),
      button(words.allow, "main", () => this.#answer(true)),
    );
    dialog.append(
      make("h2", "", words.ask_title, { id: "ask" }),
      make("p", "", words.ask_text, { id: "why" }),
      answers,
    );
    // Escape is an answer too. A script that closes the dialog only says no.
    dialog.addEventListener("close", () => {
      if (this.#asking && !dialog.open) this.#answer(false);
    });
    stage.box.append(dialog);
  }

  /** Asks as soon as that can be seen, called again and again; or does not any more. */
  ask(open: boolean): void {
    // A page that is written anew has no place for it until our element is back.
    if (open && !this.#dialog.isConnected) return;
    this.#asking = open;
    if (open === this.#dialog.open) return;
    if (open) this.#dialog.showModal();
    else this.#dialog.close();
  }

  /** Takes it away. */
  stop(): void {
    this.ask(false);
    this.#dialog.remove();
  }

  #answer(allow: boolean): void {
    this.#asking = false;
    this.#dialog.close();
    this.answered(allow);
  }
}
