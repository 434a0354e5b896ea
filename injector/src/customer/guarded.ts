/**
 * The wall between the page and us: whatever fails inside stays inside.
 */

/** Runs `work`; an error is only mentioned to developers. */
export function guarded<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    console.debug("Tandem:", error);
    return undefined;
  }
}
