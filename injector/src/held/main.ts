/**
 * Finds what the server holds of a page: loaded by the customer's bundle after a lost connection, and on every further page.
 */

import type { PartScript } from "../loader/bridge.ts";
import { type FindHeld, findHeld } from "./fingerprint.ts";

(document.currentScript as PartScript<FindHeld> | null)?.tandem?.provide(findHeld);
