/**
 * The part of a session that has from the document what can not be had from its address, any more or yet; loaded with the first of
 * that.
 */

import type { PartScript } from "../loader/bridge.ts";
import { comesByItself, reread } from "./reread.ts";

/** What the part hands over. */
export interface Reread {
  readonly comesByItself: typeof comesByItself;
  readonly reread: typeof reread;
}

(document.currentScript as PartScript<Reread> | null)?.tandem?.provide({ comesByItself, reread });
