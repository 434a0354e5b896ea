/**
 * Asks the console's server: log in, come in with a token, log out, who am I, is there such a session.
 *
 * Every answer is a value: what was asked for, or a problem that can be shown. Nothing throws.
 */

import type {
  Admission,
  AgentList,
  HealthReport,
  LiveSessions,
  Login,
  Me,
  PolicyReport,
  Problem,
  Waiting,
} from "../protocol/words.ts";

export type Answer<T> = { ok: true; value: T } | { ok: false; problem: Problem };

export function me(): Promise<Answer<Me>> {
  return ask<Me>("/console/me");
}

export function login(body: Login): Promise<Answer<Me>> {
  return ask<Me>("/console/login", body);
}

/** Comes in with what another system or a link vouches with. */
export function token(token: string): Promise<Answer<Admission>> {
  return ask<Admission>("/console/token", { token });
}

export async function logout(): Promise<void> {
  await ask<unknown>("/console/logout", {});
}

/** Whether this agent can join the session now; the ID comes back as the server writes it. */
export function session(id: string): Promise<Answer<{ sessionId: string }>> {
  return ask<{ sessionId: string }>(`/console/session/${encodeURIComponent(id)}`);
}

/** The sessions that can be joined without being told an ID. */
export function waiting(): Promise<Answer<Waiting>> {
  return ask<Waiting>("/console/waiting");
}

/** The sessions that live, for administrators. */
export function liveSessions(): Promise<Answer<LiveSessions>> {
  return ask<LiveSessions>("/console/admin/sessions");
}

/** Ends a session for both, for administrators. */
export function endSession(id: string): Promise<Answer<unknown>> {
  return ask<unknown>(`/console/admin/session/${encodeURIComponent(id)}/end`, {});
}

/** Everybody of the console, for administrators. */
export function agentList(): Promise<Answer<AgentList>> {
  return ask<AgentList>("/console/admin/agents");
}

/** Ends all logins of a name, for administrators. */
export function logOutAgent(name: string): Promise<Answer<unknown>> {
  return ask<unknown>("/console/admin/logout", { name });
}

/** How the server is, for administrators. */
export function health(): Promise<Answer<HealthReport>> {
  return ask<HealthReport>("/console/admin/health");
}

/** The policies in force, for administrators. */
export function policyReport(): Promise<Answer<PolicyReport>> {
  return ask<PolicyReport>("/console/admin/policy");
}

/** Where the session's socket is. */
export function socketUrl(id: string): string {
  const url = new URL(`/console/session/${encodeURIComponent(id)}/socket`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

async function ask<T>(path: string, body?: unknown): Promise<Answer<T>> {
  try {
    // The header proves to the server that no other site's form made the request.
    const post = { method: "POST", headers: { "Content-Type": "application/json", Tandem: "1" } };
    const response = await fetch(path, body === undefined ? {} : { ...post, body: JSON.stringify(body) });
    const text = await response.text();
    const value: unknown = text === "" ? null : JSON.parse(text);
    if (response.ok) return { ok: true, value: value as T };
    return { ok: false, problem: isProblem(value) ? value : unavailable() };
  } catch {
    return { ok: false, problem: unavailable() };
  }
}

function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "error" in value && typeof value.error === "string";
}

function unavailable(): Problem {
  return { error: "unavailable", retryAfter: null };
}
