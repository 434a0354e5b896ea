/**
 * The part of a session that knows where something in a frame is in the page; loaded where the customer points into a frame that
 * the page's script can reach into.
 */

import { outOf } from "../customer/dom.ts";
import type { PartScript } from "../loader/bridge.ts";

/** What the part hands over. */
export type OutOf = typeof outOf;

(document.currentScript as PartScript<OutOf> | null)?.tandem?.provide(outOf);
