/**
 * Says why the session is over, for a while.
 */

import { button, make } from "../customer/elements.ts";
import type { Stage } from "../customer/stage.ts";
import type { Words } from "../customer/words.ts";
import type { EndReason } from "../protocol/words.ts";
import style from "./farewell.inline.css";

/** How long it stays, in milliseconds. */
const STAYS = 30_000;

export function farewell(stage: Stage, words: Words, reason: EndReason): void {
  stage.dress(style);
  const box = make("section", "panel ended");
  const text = make("p", "", "", { role: "status" });
  const away = (): void => box.remove();
  box.append(text, button("", "icon close", away, words.close));
  if (stage.look.corner) box.dataset.corner = stage.look.corner;
  stage.box.append(box);
  // A live region has to be on the page before its text is, to be read out.
  requestAnimationFrame(() => {
    text.textContent = words.ended[reason];
  });
  setTimeout(away, STAYS);
}
