/**
 * Where an agent's action may lead: within the site, and never into another window.
 */

import { closestAcross } from "./dom.ts";
import { realmOf } from "./realms.ts";
import { Refused } from "./refused.ts";

/** An address of this site, absolute. */
export function resolve(address: string): string {
  let url: URL;
  try {
    url = new URL(address, document.baseURI);
  } catch {
    throw new Refused("not_possible");
  }
  if (url.origin !== location.origin) throw new Refused("outside_site");
  return url.href;
}

/** A link of a document or of a drawing. */
export type Link = HTMLAnchorElement | SVGAElement;

/** The link that a click on `element` would follow; in a drawing its address may be an attribute of XLink. */
export function linkOf(element: Element): Link | null {
  return closestAcross(element, "a[*|href],area[href]") as Link | null;
}

/** Where a link leads now; null: nowhere. */
function goalOf({ href, baseURI }: Link): URL | null {
  try {
    return new URL(typeof href === "string" ? href : href.baseVal, baseURI);
  } catch {
    return null;
  }
}

/** Whether an agent's action may press a link, or, by a key, follow it. */
export function checkLink(link: Link, how: "press" | "follow"): void {
  const goal = goalOf(link);
  if (goal?.protocol === "javascript:") return;
  if (!goal || !/^https?:$/.test(goal.protocol)) throw new Refused("needs_customer");
  if (how === "follow" && leadsOff(goal)) throw new Refused("outside_site");
}

function leadsOff({ protocol, origin }: URL): boolean {
  return /^http/.test(protocol) && origin !== location.origin;
}

/**
 * Runs `work`, which may follow `link`, and is given what its click is to be shown first. A link that would open another window,
 * which browsers forbid scripts to do, is followed here instead; one that leads off the site is not followed at all.
 */
export function watchLink(
  link: Link | null,
  work: (first?: (event: Event) => void) => void,
): (() => void) | undefined {
  const goal = link && goalOf(link);
  if (goal && leadsOff(goal)) {
    let isTaken = false;
    work((event) => {
      // Whatever the page's listeners do: it is prevented already, and they are told what they make of it themselves.
      event.preventDefault();
      Object.defineProperties(event, {
        defaultPrevented: { get: () => isTaken },
        preventDefault: {
          value: () => {
            isTaken = true;
          },
        },
      });
    });
    if (!isTaken) throw new Refused("outside_site");
    return undefined;
  }
  const target = link?.getAttribute("target");
  if (!link || !goal || !target || target.toLowerCase() === "_self") {
    work();
    return undefined;
  }
  let leave: (() => void) | undefined;
  const view = realmOf(link);
  // A frame of this name: browsers follow that by themselves.
  const named = (window as unknown as Record<string, Window | undefined>)[target];
  if (named && named === named.window) {
    work();
    return undefined;
  }
  const last = (event: Event): void => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    leave = () => location.assign(goal.href);
  };
  view.addEventListener("click", last);
  work();
  view.removeEventListener("click", last);
  return leave;
}
