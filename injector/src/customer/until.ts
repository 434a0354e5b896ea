/**
 * Listening that has an end. It does without the browser's own option for that, and so does everything of ours that listens where the
 * page may: some libraries have one listener of the browser's for all of a kind, with the options of the first
 * (Zone.js before 0.14.3), so that the page's own would end with ours.
 */

/** Listens to events of these types until `over`. */
export function until<E extends Event>(
  over: AbortSignal,
  target: EventTarget | null,
  types: readonly string[],
  listener: (event: E) => void,
  capture = false,
): void {
  for (const type of types) {
    target?.addEventListener(type, listener as EventListener, capture);
    over.addEventListener("abort", () =>
      target?.removeEventListener(type, listener as EventListener, capture),
    );
  }
}
