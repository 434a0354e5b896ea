/**
 * Where in its time a sound is: the browser's own controls show it, and no attribute tells.
 *
 * It is told as an attribute that the page does not have. A sound without controls shows nothing.
 */

import { guarded } from "./guarded.ts";

/** The attribute that stands for it, in seconds. */
export const TIME = "data-tandem-time";

/** Where a sound with controls is, to a tenth of a second; null for everything else, and where the page does not say. */
export function timeOf(element: Element): string | null {
  // Nothing else is asked: properties of other elements may be the page's own.
  if (element.localName !== "audio") return null;
  return (
    guarded(() => {
      const { controls, currentTime } = element as HTMLAudioElement;
      return controls ? Number(currentTime).toFixed(1) : null;
    }) ?? null
  );
}
