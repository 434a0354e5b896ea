/**
 * The part of a session that finds what was typed into withheld fields; loaded where a page has one, or something was typed.
 */

import type { PartScript } from "../loader/bridge.ts";
import { Finder, type MakeFinder } from "./finder.ts";

const script = document.currentScript as PartScript<MakeFinder> | null;
script?.tandem?.provide(() => new Finder());
