/**
 * The part of a session that does what the agent asks for; loaded when the customer allows it.
 */

import type { MakeExecutor } from "../customer/acting.ts";
import { Executor } from "../customer/executor.ts";
import type { PartScript } from "../loader/bridge.ts";
import { contextOf } from "./context.ts";

const script = document.currentScript as PartScript<MakeExecutor> | null;
script?.tandem?.provide((page) => new Executor(contextOf(page)));
