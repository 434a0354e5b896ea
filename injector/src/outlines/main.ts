/**
 * The part of the widget that shows the customer what the agent does not see; loaded when they ask for it.
 */

import type { PartScript } from "../loader/bridge.ts";
import { type MakeOutlines, Outlines } from "./outlines.ts";

const script = document.currentScript as PartScript<MakeOutlines> | null;
script?.tandem?.provide((stage, hidden) => new Outlines(stage, hidden));
