/**
 * The part of a session that has from the document what can not be had from its address any more; loaded with the first of that.
 */

import type { PartScript } from "../loader/bridge.ts";
import { reread } from "./reread.ts";

/** What the part hands over. */
export type Reread = typeof reread;

(document.currentScript as PartScript<Reread> | null)?.tandem?.provide(reread);
