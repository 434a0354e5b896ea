/**
 * The part that invites the documents of other hosts of the site; loaded where a page has a frame that its script can not reach
 * into.
 */

import type { PartScript } from "../loader/bridge.ts";
import { Invitations, type Meet } from "./invitations.ts";

const script = document.currentScript as PartScript<Meet> | null;
const invitations = new Invitations();
script?.tandem?.provide((frame, host, hosts) => invitations.meet(frame, host, hosts ?? []));
