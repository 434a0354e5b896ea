/**
 * What the browser remembers for the next page. A page whose storage is forbidden remembers nothing, and goes on.
 */

/** What is remembered under a name. */
export function remembered(storage: "localStorage" | "sessionStorage", name: string): string | null {
  try {
    return window[storage].getItem(name);
  } catch {
    return null;
  }
}

/** Remembers a text, or forgets it. */
export function remember(
  storage: "localStorage" | "sessionStorage",
  name: string,
  text: string | null,
): void {
  try {
    if (text === null) window[storage].removeItem(name);
    else window[storage].setItem(name, text);
  } catch {
    // As said above.
  }
}
