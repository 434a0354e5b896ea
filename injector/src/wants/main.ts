/**
 * The part of a session that brings the server what only this page has; loaded when the server first wants something.
 */

import type { PartScript } from "../loader/bridge.ts";
import { type MakeWants, Wants } from "./wants.ts";

const script = document.currentScript as PartScript<MakeWants> | null;
script?.tandem?.provide((unavailable, pass) => new Wants(unavailable, pass));
