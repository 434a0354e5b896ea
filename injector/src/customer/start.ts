/**
 * Asks the server for a session, and says why there is none in a way that a person can act on.
 */

import type { TandemError, TandemRefusal, TandemStart } from "../loader/tandem.d.ts";
import type { Started } from "../protocol/words.ts";
import type { Words } from "./words.ts";

/** Starts a session; answers its ID. */
export async function begin(words: Words, about?: TandemStart): Promise<string> {
  let answer: Response;
  try {
    answer = await fetch("/.tandem/session", {
      method: "POST",
      headers: { Tandem: "1" },
      ...(about && { body: JSON.stringify(about) }),
    });
  } catch {
    throw refusal("unreachable", words.unreachable);
  }
  if (answer.ok) return ((await answer.json()) as Started).sessionId;
  const { unreachable, refused } = words;
  switch (answer.status) {
    case 422:
      throw refusal("bad_request", refused.failed);
    case 429:
      throw refusal("too_many", refused.too_many);
    case 503:
      throw refusal("full", refused.full);
    // A proxy or load balancer between says that nobody is there.
    case 502:
    case 504:
      throw refusal("unreachable", unreachable);
    default:
      throw refusal("failed", refused.failed);
  }
}

/** What `Tandem.start()` rejects with. */
export function refusal(code: TandemRefusal, message: string): TandemError {
  return Object.assign(new Error(message), { code });
}
