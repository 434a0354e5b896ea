/**
 * The part of a session that draws the agent's pointer; loaded once the agent points.
 */

import type { Stage } from "../customer/stage.ts";
import type { PartScript } from "../loader/bridge.ts";
import style from "./hand.inline.css";
import { Hand } from "./hand.ts";

/** What the part hands over. */
export type MakeHand = (stage: Stage) => Hand;

(document.currentScript as PartScript<MakeHand> | null)?.tandem?.provide((stage) => {
  stage.dress(style);
  return new Hand(stage);
});
