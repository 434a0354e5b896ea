/**
 * The part of a session that tells style rules which scripts made or changed; loaded where a page has any.
 */

import type { PartScript } from "../loader/bridge.ts";
import { type MakeSheets, Memory, Sheets } from "./sheets.ts";

const script = document.currentScript as PartScript<MakeSheets> | null;
const memory = new Memory();
script?.tandem?.provide((known, extras) => new Sheets(known, extras, memory));
