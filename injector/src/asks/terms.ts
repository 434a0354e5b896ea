/**
 * The company's own terms, before a session starts: nothing is started, and nothing shared, before they are accepted.
 *
 * What was accepted holds for that start only, and only a real gesture accepts.
 */

import { button, make } from "../customer/elements.ts";
import type { Stage } from "../customer/stage.ts";
import type { Terms, Words } from "../customer/words.ts";
import { direction } from "../loader/direction.ts";

/** Shows the terms; answers whether they were accepted. */
export function askTerms(stage: Stage, words: Words, terms: Terms): Promise<boolean> {
  const dialog = make("dialog", "", "", { "aria-labelledby": "terms", "aria-describedby": "terms-text" });
  const text = make("div", "terms", terms.text ?? words.terms_text, { id: "terms-text" });
  if (terms.text !== null) {
    text.lang = terms.language;
    text.dir = direction(terms.language);
  }
  // What is longer than its box has to be reached by the keyboard too.
  text.tabIndex = 0;
  dialog.append(make("h2", "", words.terms_title, { id: "terms" }), text);
  if (terms.link) {
    const link = make("a", "link", words.terms_link, {
      target: "_blank",
      rel: "noopener",
      hreflang: terms.language,
    });
    link.href = terms.link;
    link.append(make("span", "far", ` (${words.terms_new_tab})`));
    dialog.append(link);
  }
  const answers = make("div", "buttons");
  dialog.append(answers);
  return new Promise((resolve) => {
    const answer = (accepted: boolean): void => {
      resolve(accepted);
      dialog.remove();
    };
    answers.append(
      button(words.terms_decline, "", () => answer(false)),
      button(words.terms_accept, "main", () => answer(true)),
    );
    // Escape says no, and so does a script that closes it.
    dialog.addEventListener("close", () => {
      // Our place above the page's dialogs is renewed by closing and opening.
      if (!dialog.open) answer(false);
    });
    stage.box.append(dialog);
    stage.raise();
    dialog.showModal();
  });
}
