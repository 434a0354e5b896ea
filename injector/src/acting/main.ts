/**
 * The part of a session that does what the agent asks for; loaded when the customer allows it.
 */

import type { MakeExecutor } from "../customer/acting.ts";
import { Executor } from "../customer/executor.ts";
import type { PartScript } from "../loader/bridge.ts";

const script = document.currentScript as PartScript<MakeExecutor> | null;
script?.tandem?.provide((context) => new Executor(context));
