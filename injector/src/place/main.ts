/**
 * The part of the widget that moves its panel; loaded when it has to.
 */

import type { PartScript } from "../loader/bridge.ts";
import { type MakePlace, Place } from "./place.ts";

const script = document.currentScript as PartScript<MakePlace> | null;
script?.tandem?.provide((panel, page, at) => new Place(panel, page, at));
