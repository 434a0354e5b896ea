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

/** Whether an agent's action may follow a link. */
export function checkLink(link: HTMLAnchorElement): void {
  const { protocol } = link;
  if (protocol === "javascript:") return;
  if (protocol !== "http:" && protocol !== "https:") throw new Refused("needs_customer");
  if (link.origin !== location.origin) throw new Refused("outside_site");
}

/**
 * Runs `work`, which may follow `link`. A link that would open another window, which browsers forbid scripts to do, is followed
 * here instead.
 */
export function watchLink(link: HTMLAnchorElement | null, work: () => void): (() => void) | undefined {
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
