/**
 * The part of a session in a frame that a page of another host shows; loaded when that page, being of the site, says that it is
 * shared.
 */

import type { HearPage, InsetBridge, PartScript } from "../loader/bridge.ts";
import { Lodger } from "./lodger.ts";

function run(script: PartScript<HearPage, InsetBridge> | null): void {
  const bridge = script?.tandem;
  if (!bridge) return;
  const lodger = new Lodger(bridge);
  bridge.provide((word, page, origin) => lodger.hear(word, page, origin));
}

run(document.currentScript as PartScript<HearPage, InsetBridge> | null);
