/**
 * Where an agent's action may lead: within the site, and never into another window.
 */

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

/** Whether an agent's action may press a link, or, by a key, follow it. */
export function checkLink(link: HTMLAnchorElement, how: "press" | "follow"): void {
  const { protocol } = link;
  if (protocol === "javascript:") return;
  if (protocol !== "http:" && protocol !== "https:") throw new Refused("needs_customer");
  if (how === "follow" && leadsOff(link)) throw new Refused("outside_site");
}

function leadsOff({ protocol, origin }: HTMLAnchorElement): boolean {
  return /^http/.test(protocol) && origin !== location.origin;
}

/**
 * Runs `work`, which may follow `link`, and is given what its click is to be shown first. A link that would open another window,
 * which browsers forbid scripts to do, is followed here instead; one that leads off the site is not followed at all.
 */
export function watchLink(
  link: HTMLAnchorElement | null,
  work: (first?: (event: Event) => void) => void,
): (() => void) | undefined {
  if (link && leadsOff(link)) {
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
  const target = link?.target.toLowerCase();
  if (!link || !target || target === "_self") {
    work();
    return undefined;
  }
  let leave: (() => void) | undefined;
  const { href } = link;
  const view = realmOf(link);
  // A frame of this name: browsers follow that by themselves.
  const named = (window as unknown as Record<string, Window | undefined>)[link.target];
  if (named && named === named.window) {
    work();
    return undefined;
  }
  const last = (event: Event): void => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    leave = () => location.assign(href);
  };
  view.addEventListener("click", last);
  work();
  view.removeEventListener("click", last);
  return leave;
}
