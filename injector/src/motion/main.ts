/**
 * The part of a session that tells how far animations are; loaded where a page has any.
 */

import type { PartScript } from "../loader/bridge.ts";
import { type MakeMotion, Motion, Touched } from "./motion.ts";

const script = document.currentScript as PartScript<MakeMotion> | null;
const touched = new Touched();
script?.tandem?.provide((...args) => new Motion(touched, ...args));
