/**
 * `window.Tandem`, for the site's own scripts. Served at `/.tandem/tandem.d.ts`; to use it, copy it beside your
 * code, or name it in a `/// <reference path="…" />`.
 */

/** What a session is about. */
export interface TandemStart {
  /** The chat or call that it belongs to: what ends the interaction ends the session. At most 500 characters. */
  readonly interactionId?: string;
  /** What else your systems want to find again: at most 50 entries of at most 500 characters. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What `Tandem.state` says. */
export type TandemState = "off" | "starting" | "idle" | "active" | "ended";

/** Why a session ended. */
export type TandemEndReason =
  | "customer_exit"
  | "agent_exit"
  | "join_timeout"
  | "away_timeout"
  | "agent_timeout"
  | "idle_timeout"
  | "max_duration"
  | "interaction_ended"
  | "administrator"
  | "server_shutdown"
  | "error";

/** What `start()` rejects with. Its message is for the customer, in the language of the page. */
export interface TandemError extends Error {
  readonly code: TandemRefusal;
}

/**
 * Why no session was started: the server can not be reached; this address starts too many; all places are taken;
 * an error of the server; `about` makes no sense or is too long; the customer did not accept the terms.
 */
export type TandemRefusal = "unreachable" | "too_many" | "full" | "failed" | "bad_request" | "declined";

/** What handlers are told. */
export interface TandemEvents {
  started: { sessionId: string };
  agentJoined: { agentName: string | null };
  modeChanged: {
    mode: "pointer" | "write";
    reason: "initial" | "allowed" | "declined" | "taken_back" | "given_back" | "interrupted" | "paused";
  };
  ended: { reason: TandemEndReason };
}

export interface TandemApi {
  /**
   * Starts a session and resolves with the ID to hand to the agent. With a session already running, resolves with
   * that one's. Where the company has terms, the customer accepts them first. Rejects with a `TandemError` when no
   * session was started; the customer has been told why.
   */
  start(about?: TandemStart): Promise<{ sessionId: string }>;
  /** The customer leaves. */
  exit(): void;
  readonly state: TandemState;
  /** Of the running session. */
  readonly sessionId: string | null;
  /** A handler that is added after the event happened is called at once. */
  on<E extends keyof TandemEvents>(event: E, handler: (detail: TandemEvents[E]) => void): void;
}

declare global {
  interface Window {
    Tandem?: TandemApi;
  }
}
