/**
 * The part of a session that says why it is over; loaded when it is.
 */

import type { PartScript } from "../loader/bridge.ts";
import { farewell } from "./farewell.ts";

/** What the part hands over. */
export type Farewell = typeof farewell;

(document.currentScript as PartScript<Farewell> | null)?.tandem?.provide(farewell);
