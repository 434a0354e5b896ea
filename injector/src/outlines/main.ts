/**
 * The part of a session that shows the customer what the agent does not see; loaded once there is something of that kind.
 */

import type { Marks } from "../customer/marks.ts";
import type { Realms } from "../customer/realms.ts";
import type { Stage } from "../customer/stage.ts";
import type { PartScript } from "../loader/bridge.ts";
import style from "./outlines.inline.css";
import { Outlines } from "./outlines.ts";
import { Tooltip } from "./tooltip.ts";

/** What the part hands over: shows these marks, with what to say of most of them. */
export type MakeHints = (stage: Stage, realms: Realms, marks: Marks, usual: string) => Hints;

/** Both ways to show it. */
export interface Hints {
  readonly outlines: Outlines;
  readonly tooltip: Tooltip;
}

const script = document.currentScript as PartScript<MakeHints> | null;
script?.tandem?.provide((stage, realms, marks, usual) => {
  stage.dress(style);
  return {
    outlines: new Outlines(stage, () => marks.hidden()),
    tooltip: new Tooltip(stage, realms, (element) => marks.label(element, usual)),
  };
});
