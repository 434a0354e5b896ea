/**
 * What the customer is asked in a dialog: whether they accept the company's terms, and whether the agent may type and click.
 * Loaded when there is something to ask.
 */

import type { Stage } from "../customer/stage.ts";
import type { Terms, Words } from "../customer/words.ts";
import type { PartScript } from "../loader/bridge.ts";
import style from "./asks.inline.css";
import { Consent } from "./consent.ts";
import { askTerms } from "./terms.ts";

/** What the part hands over. */
export interface Asks {
  /** Shows the terms; answers whether they were accepted. */
  terms(stage: Stage, words: Words, terms: Terms): Promise<boolean>;
  /** Makes the question of a session. */
  consent(stage: Stage, words: Words, answered: (allow: boolean) => void): Consent;
}

const script = document.currentScript as PartScript<Asks> | null;
script?.tandem?.provide({
  terms(stage, words, terms) {
    stage.dress(style);
    return askTerms(stage, words, terms);
  },
  consent(stage, words, answered) {
    stage.dress(style);
    return new Consent(stage, words, answered);
  },
});
