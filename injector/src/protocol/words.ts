/**
 * The protocol's words, rendered from `src/protocol`: do not edit.
 * `TANDEM_RENDER=1 cargo test --lib protocol` writes it anew.
 */

export type NodeId = number;

export type Point = { 
/**
 * Pixels to the right.
 */
x: number, 
/**
 * Pixels down.
 */
y: number, };

export type SessionId = string;

export type Phase = "idle" | "active" | "ended";

export type Mode = "pointer" | "write";

export type EndReason = "customer_exit" | "agent_exit" | "join_timeout" | "away_timeout" | "agent_timeout" | "idle_timeout" | "max_duration" | "interaction_ended" | "administrator" | "server_shutdown" | "error";

export type ModeReason = "initial" | "allowed" | "declined" | "taken_back" | "given_back" | "interrupted" | "paused";

export type Presence = "expected" | "present" | "away";

export type AwayReason = "left" | "lost";

export type Tab = { 
/**
 * Names it for as long as it is open.
 */
id: number, 
/**
 * As it was when it was last shown, masked; none when the customer has not looked at it yet.
 */
title: string | null, 
/**
 * Whether it is the one that is shown.
 */
shown: boolean, 
/**
 * Whether it is on the customer's screen.
 */
seen: boolean, };

export type Absence = { 
/**
 * Why.
 */
why: AwayReason, 
/**
 * Seconds from this message on until the session ends because of it.
 */
seconds: number, };

export type EndsSoon = { 
/**
 * Which timeout.
 */
reason: EndReason, 
/**
 * Seconds from this message on.
 */
seconds: number, };

export type Status = { 
/**
 * Idle, active or ended.
 */
phase: Phase, 
/**
 * Pointer or Write.
 */
mode: Mode, 
/**
 * Why.
 */
modeReason: ModeReason, 
/**
 * Whether the agent asked for Write mode and the customer has not answered.
 */
writeRequested: boolean, 
/**
 * Whether the customer has paused sharing: nothing of the page leaves the customer's browser.
 */
paused: boolean, 
/**
 * The customer's browser.
 */
customer: Presence, 
/**
 * While it is away.
 */
customerAway: Absence | null, 
/**
 * The way to it and back takes so long that people notice.
 */
customerSlow: boolean, 
/**
 * The agent's browser.
 */
agent: Presence, 
/**
 * While it is away.
 */
agentAway: Absence | null, 
/**
 * The way to it and back takes so long that people notice.
 */
agentSlow: boolean, 
/**
 * The agent's display name, once there is one.
 */
agentName: string | null, 
/**
 * The display names of those who watch beside the agent, each once.
 */
watchers: Array<string>, 
/**
 * That it is about to end by itself, if nobody does anything about it.
 */
endsSoon: EndsSoon | null, 
/**
 * Why it ended, once it has.
 */
ended: EndReason | null, };

export type Key = string;

export type Piece = number | string;

export type Spot = { 
/**
 * A text, or an element.
 */
node: NodeId, 
/**
 * UTF-16 units in a text, shared nodes in an element.
 */
offset: number, 
/**
 * Names the text that the offset is reckoned in; 0 in an element.
 */
base: number, };

export type Place = { 
/**
 * A text, an element, or a field.
 */
node: NodeId, 
/**
 * UTF-16 units in a text or in the value of a field, shared nodes in an element.
 */
offset: number, };

export type Typed = "insertText" | "insertParagraph" | "insertLineBreak" | "insertFromPaste" | "insertFromDrop" | "deleteContentBackward" | "deleteContentForward" | "deleteWordBackward" | "deleteWordForward" | "deleteSoftLineBackward" | "deleteSoftLineForward" | "deleteByCut" | "formatBold" | "formatItalic" | "formatUnderline" | "historyUndo" | "historyRedo";

export type KeyCode = string;

export type Modifiers = { alt: boolean, ctrl: boolean, meta: boolean, shift: boolean, };

export type Refusal = "watching" | "pointer_mode" | "not_active" | "customer_away" | "gone" | "private" | "disabled" | "outside_site" | "nowhere" | "not_possible" | "covered" | "needs_customer" | "customer_typing" | "stale" | "too_long" | "no_menu" | "prevented" | "too_many";

export type Action = { "kind": "click", 
/**
 * The innermost element under the pointer.
 */
node: NodeId, 
/**
 * Fraction of the width.
 */
x: number, 
/**
 * Fraction of the height.
 */
y: number, 
/**
 * Which one it is of clicks in quick succession: with the second, a double click is told too.
 */
count: number, 
/**
 * Keys that are held.
 */
modifiers: Modifiers, } | { "kind": "menu", 
/**
 * As for a click.
 */
node: NodeId, 
/**
 * Fraction of the width.
 */
x: number, 
/**
 * Fraction of the height.
 */
y: number, } | { "kind": "hover", 
/**
 * As for a click.
 */
node: NodeId, 
/**
 * Fraction of the width.
 */
x: number, 
/**
 * Fraction of the height.
 */
y: number, } | { "kind": "leave" } | { "kind": "press", 
/**
 * As for a click.
 */
node: NodeId, 
/**
 * Fraction of the width.
 */
x: number, 
/**
 * Fraction of the height.
 */
y: number, 
/**
 * Keys that are held.
 */
modifiers: Modifiers, } | { "kind": "drag", 
/**
 * The innermost element under the pointer.
 */
node: NodeId, 
/**
 * Where: what is dragged lies under the pointer and moves with it, so that a place in it would be none.
 */
at: Point, 
/**
 * Keys that are held.
 */
modifiers: Modifiers, } | { "kind": "drop", 
/**
 * As for a drag.
 */
node: NodeId, 
/**
 * Where.
 */
at: Point, 
/**
 * Keys that are held.
 */
modifiers: Modifiers, } | { "kind": "let_go" } | { "kind": "wheel", 
/**
 * As for a click.
 */
node: NodeId, 
/**
 * Fraction of the width.
 */
x: number, 
/**
 * Fraction of the height.
 */
y: number, 
/**
 * To the right, in CSS pixels.
 */
dx: number, 
/**
 * Down.
 */
dy: number, 
/**
 * Keys that are held.
 */
modifiers: Modifiers, } | { "kind": "ask", 
/**
 * What.
 */
node: NodeId, } | { "kind": "input", 
/**
 * The field.
 */
node: NodeId, 
/**
 * Names the text that was changed.
 */
base: number, 
/**
 * What became of it.
 */
change: Array<Piece>, 
/**
 * How.
 */
input: Typed, } | { "kind": "edit", 
/**
 * Where the selection began.
 */
anchor: Spot, 
/**
 * Where it ends: the caret.
 */
focus: Spot, 
/**
 * What is done.
 */
input: Typed, 
/**
 * What comes in.
 */
text: string, } | { "kind": "caret", 
/**
 * Where the selection begins.
 */
anchor: Spot, 
/**
 * Where it ends: the caret.
 */
focus: Spot, } | { "kind": "select", 
/**
 * The `select`.
 */
node: NodeId, 
/**
 * Indexes of the chosen options.
 */
indexes: Array<number>, } | { "kind": "key", 
/**
 * The focused element.
 */
node: NodeId, 
/**
 * Which.
 */
key: Key, 
/**
 * Where it is on the keyboard, as `KeyboardEvent.code` has it.
 */
code: KeyCode, 
/**
 * Keys that are held with it.
 */
modifiers: Modifiers, } | { "kind": "scroll", 
/**
 * The scroller.
 */
node: NodeId, 
/**
 * From the left.
 */
x: number, 
/**
 * From the top.
 */
y: number, } | { "kind": "navigate", 
/**
 * Absolute, or relative to the page.
 */
url: string, } | { "kind": "back" } | { "kind": "forward" } | { "kind": "refresh" };

export type FromCustomer = { "type": "pointer", 
/**
 * In the viewport.
 */
at: Point, } | { "type": "pointer_left" } | { "type": "clicked", 
/**
 * In the viewport.
 */
at: Point, } | { "type": "answer", 
/**
 * Whether the agent may type and click.
 */
allow: boolean, } | { "type": "take_back" } | { "type": "looking", 
/**
 * Where its page is.
 */
url: string, } | { "type": "looked_away" } | { "type": "pause" } | { "type": "resume" } | { "type": "exit" } | { "type": "acted", 
/**
 * Its number.
 */
seq: number, 
/**
 * Why it was not done, if it was not.
 */
refused: Refusal | null, 
/**
 * After an edit: where the agent's caret is now.
 */
at: Place | null, } | { "type": "stopped", 
/**
 * Why.
 */
reason: Refusal, } | { "type": "typed", 
/**
 * At most [`ECHOES`].
 */
echoes: Array<Echo>, } | { "type": "frame", 
/**
 * Absolute, of http or https, without fragment.
 */
url: string, } | { "type": "invite", 
/**
 * The epoch in which the frame was told; of no meaning from an inset.
 */
epoch: number, 
/**
 * The frame's element.
 */
frame: NodeId, } | { "type": "neighbours", 
/**
 * Absolute.
 */
back: string | null, 
/**
 * Absolute.
 */
forward: string | null, } | { "type": "gesture" } | { "type": "unavailable", 
/**
 * The number of the want.
 */
want: number, } | { "type": "alive" };

export type ToCustomer = { "type": "welcome", 
/**
 * The ID to show.
 */
sessionId: SessionId, 
/**
 * Seconds for which the session waits for this browser when it is away.
 */
patience: number, } | { "type": "status", 
/**
 * All of it.
 */
status: Status, } | { "type": "share", 
/**
 * For the header of the frames.
 */
epoch: number, 
/**
 * Parts of the page that the server has from before and that need not be sent again.
 */
held: Held, } | { "type": "rest" } | { "type": "ticket", 
/**
 * The frame's element.
 */
frame: NodeId, 
/**
 * To be told to nobody else.
 */
ticket: string, } | { "type": "share_inset", 
/**
 * The number of its document; further nodes are counted from there.
 */
first: NodeId, } | { "type": "withhold", 
/**
 * Selectors, each valid by itself.
 */
select: Array<string>, 
/**
 * The same for documents in frames: these and those of all documents around them count.
 */
frames: Array<WithheldInFrame>, 
/**
 * To find withheld values where the page repeats them.
 */
echoing: Echoing, } | { "type": "private", 
/**
 * Newly masked or hidden, or with another label.
 */
marks: Array<PrivateMark>, 
/**
 * Not masked or hidden any more.
 */
cleared: Array<NodeId>, } | { "type": "private_page", 
/**
 * True: nothing of it is seen.
 */
on: boolean, } | { "type": "pointer", 
/**
 * In the viewport.
 */
at: Point, } | { "type": "pointer_left" } | { "type": "clicked", 
/**
 * In the viewport.
 */
at: Point, } | { "type": "want", 
/**
 * A number for the answer.
 */
want: number, 
/**
 * Absolute.
 */
url: string, } | { "type": "alive" };

export type ActTag = "act";

export type Held = { 
/**
 * Of this request only, so that nobody can make content to fit.
 */
key: [number, number, number, number], 
/**
 * Four words each, little endian, in base64.
 */
fingerprints: string, };

export type PrivateMark = { 
/**
 * Which.
 */
node: NodeId, 
/**
 * How.
 */
kind: Privacy, 
/**
 * The administrator's words for the tooltip, if there are any.
 */
label: string | null, };

export type WithheldInFrame = { 
/**
 * As it was asked for.
 */
url: string, 
/**
 * Selectors, each valid by itself.
 */
select: Array<string>, };

export type Echoing = { 
/**
 * Of this session.
 */
key: EchoKey, 
/**
 * What was typed until now.
 */
known: Array<Echo>, 
/**
 * Attributes by which rules choose elements: told as they are, or the rules would not hold.
 */
keep: Array<string>, };

export type EchoKey = { 
/**
 * Modulo 67108859.
 */
one: number, 
/**
 * Modulo 67108837.
 */
two: number, };

export type Echo = { 
/**
 * Characters that count.
 */
length: number, 
/**
 * The first hash.
 */
one: number, 
/**
 * The second hash.
 */
two: number, 
/**
 * Of a password: a field that holds it is a password field, whatever it says.
 */
password: boolean, };

export type Privacy = "masked" | "hidden" | "measured" | "pictured" | "shown";

export type Started = { 
/**
 * The ID to show and read out.
 */
sessionId: SessionId, };

export type FromAgent = { "type": "pointer", 
/**
 * In the customer's viewport.
 */
at: Point, } | { "type": "pointer_left" } | { "type": "clicked", 
/**
 * In the customer's viewport.
 */
at: Point, } | { "type": "request_write" } | { "type": "give_back" } | { "type": "act", 
/**
 * Counts the actions of a connection from 1; the answer carries it.
 */
seq: number, 
/**
 * Of the view that the agent has: it numbers the nodes.
 */
epoch: number, 
/**
 * What to do.
 */
action: Action, } | { "type": "resync", 
/**
 * It had followed every change and yet is not what the server says it should be.
 */
diverged: boolean, } | { "type": "exit" } | { "type": "alive" };

export type Answer = { 
/**
 * Which action.
 */
seq: number, 
/**
 * Why it was not done.
 */
reason: Refusal | null, 
/**
 * After an edit: where the agent's caret is now, if they see the place.
 */
at: Place | null, };

export type ToAgent = { "type": "welcome", 
/**
 * The session.
 */
sessionId: SessionId, 
/**
 * Seconds for which the session waits for this browser when it is away.
 */
patience: number, } | { "type": "status", 
/**
 * All of it.
 */
status: Status, } | { "type": "pointer", 
/**
 * In the viewport of this document: of the page, or of an inset.
 */
within: NodeId, 
/**
 * Where.
 */
at: Point, } | { "type": "pointer_left" } | { "type": "clicked", 
/**
 * As for the pointer.
 */
within: NodeId, 
/**
 * Where.
 */
at: Point, } | { "type": "done", 
/**
 * Which action.
 */
seq: number, 
/**
 * After an edit: where the agent's caret is now, if they see the place.
 */
at: Place | null, } | { "type": "refused", 
/**
 * Which action.
 */
seq: number, 
/**
 * Why.
 */
reason: Refusal, } | { "type": "answers", 
/**
 * In the order in which they were given.
 */
answers: Array<Answer>, } | { "type": "alive" } | { "type": "tabs", 
/**
 * In the order in which they were opened.
 */
tabs: Array<Tab>, };

export type Admission = { 
/**
 * Whom it lets in.
 */
me: Me, 
/**
 * The one session that it is for, if it is for one.
 */
sessionId: SessionId | null, };

export type Login = { 
/**
 * As in the agents' file.
 */
username: string, 
/**
 * Never logged.
 */
password: string, };

export type Me = { 
/**
 * The agent's name.
 */
name: string, 
/**
 * What the agent may do.
 */
role: Role, };

export type Role = "agent" | "supervisor" | "admin";

export type Problem = { 
/**
 * What.
 */
error: ProblemKind, 
/**
 * Seconds to wait before the next try, where that helps.
 */
retryAfter: number | null, };

export type ProblemKind = "wrong_login" | "wrong_token" | "login_needed" | "too_many_tries" | "no_such_session" | "session_ended" | "session_taken" | "agent_busy" | "nothing_to_watch" | "not_allowed" | "bad_request" | "unavailable";

export type LiveSessions = { 
/**
 * So many at most; see `count`.
 */
sessions: Array<LiveSession>, 
/**
 * How many there are.
 */
count: number, };

export type LiveSession = { 
/**
 * Its ID.
 */
sessionId: SessionId, 
/**
 * Idle or active.
 */
phase: Phase, 
/**
 * Pointer or Write.
 */
mode: Mode, 
/**
 * Whether the customer has paused sharing.
 */
paused: boolean, 
/**
 * The customer's browser.
 */
customer: Presence, 
/**
 * The agent's browser.
 */
agent: Presence, 
/**
 * The agent's display name, once there is one.
 */
agentName: string | null, 
/**
 * Those who watch.
 */
watchers: Array<string>, 
/**
 * Seconds since it was started.
 */
age: number, 
/**
 * The address of the customer's page, as the agent may see it, without query and fragment.
 */
page: string | null, 
/**
 * The chat or call that it belongs to.
 */
interactionId: string | null, };

export type Waiting = { 
/**
 * Those that somebody of this role can join, the oldest first; none where the settings do not list them.
 */
sessions: Array<WaitingSession> | null, };

export type WaitingSession = { 
/**
 * Its ID.
 */
sessionId: SessionId, 
/**
 * Seconds since it was started.
 */
age: number, 
/**
 * Who holds it, where it is to be watched.
 */
agentName: string | null, 
/**
 * The chat or call that it belongs to.
 */
interactionId: string | null, 
/**
 * What else was attached to it.
 */
metadata: { [key in string]: string }, };

export type AgentList = { 
/**
 * By name.
 */
agents: Array<AgentEntry>, };

export type AgentEntry = { 
/**
 * Their name.
 */
name: string, 
/**
 * What they may do.
 */
role: Role, 
/**
 * Whether the agents' file has them; others came with a token or a link.
 */
filed: boolean, 
/**
 * Logins that hold now.
 */
logins: number, 
/**
 * The sessions that they hold or watch.
 */
sessions: Array<SessionId>, };

export type LogOut = { 
/**
 * Whose.
 */
name: string, };

export type HealthReport = { 
/**
 * Of Tandem.
 */
version: string, 
/**
 * Seconds since the server was started.
 */
age: number, 
/**
 * Whether it takes no more work and soon stops.
 */
stopping: boolean, 
/**
 * Sessions that live, and how many there may be.
 */
sessions: number, 
/**
 * How many there may be.
 */
sessionLimit: number, 
/**
 * Memory that the process has, in KiB, where the system says so.
 */
memory: number | null, 
/**
 * Whether the policy files, as they are now, have mistakes.
 */
policiesBroken: boolean, 
/**
 * Fresh views for agents who fell behind.
 */
agentResyncs: number, 
/**
 * Whole pages that were asked for because a change did not fit.
 */
customerResyncs: number, 
/**
 * Copies of a page that were found to differ from it, and were repaired.
 */
divergences: number, };

export type PolicyReport = { 
/**
 * The rules in force.
 */
files: Array<PolicyFile>, 
/**
 * Live sessions.
 */
sessions: number, 
/**
 * Since when they are in force: seconds ago.
 */
age: number, 
/**
 * Changes of the files that were taken since the server started.
 */
taken: number, 
/**
 * Changes that were not taken because of mistakes.
 */
broken: number, 
/**
 * What is wrong with the files as they are now. Empty when they are in force.
 */
errors: Array<PolicyError>, 
/**
 * What is in force but hardly meant.
 */
warnings: Array<PolicyError>, };

export type PolicyFile = { 
/**
 * Its name.
 */
file: string, 
/**
 * The sites that it is for; empty: all.
 */
sites: Array<string>, 
/**
 * The pages that it is for; empty: all.
 */
urls: Array<string>, 
/**
 * The roles that it is for; empty: everybody.
 */
roles: Array<string>, 
/**
 * Whether it masks everything that is not shown.
 */
maskedByDefault: boolean, 
/**
 * Whether it loosens earlier files.
 */
overrides: boolean, 
/**
 * In the order of the lines.
 */
rules: Array<PolicyRule>, };

export type PolicyRule = { 
/**
 * Where it begins, counted from 1.
 */
line: number, 
/**
 * `mask`, `hide`, `show`, `reveal`, `control`, `navigate` or `pause`.
 */
kind: string, 
/**
 * Its selector, or its addresses.
 */
what: string, 
/**
 * What else it says.
 */
about: string | null, 
/**
 * How often it matched in sessions since it is in force: elements, paused pages, addresses asked for.
 */
matched: number, };

export type PolicyError = { 
/**
 * The file.
 */
file: string, 
/**
 * Counted from 1.
 */
line: number, 
/**
 * Counted from 1.
 */
column: number, 
/**
 * What is wrong.
 */
message: string, 
/**
 * The same with an excerpt and a hint, as `tandem policy check` prints it.
 */
text: string, };

export type Act = { type: ActTag; seq: number; submit: boolean; to: string | null; action: Action };

/** Strings with a fixed index in every frame's table. */
export const WORDS: readonly string[] = [
  "",
  "html",
  "head",
  "body",
  "title",
  "meta",
  "link",
  "style",
  "script",
  "div",
  "span",
  "p",
  "a",
  "img",
  "ul",
  "ol",
  "li",
  "dl",
  "dt",
  "dd",
  "table",
  "thead",
  "tbody",
  "tfoot",
  "tr",
  "td",
  "th",
  "caption",
  "colgroup",
  "col",
  "form",
  "fieldset",
  "legend",
  "label",
  "input",
  "select",
  "option",
  "optgroup",
  "textarea",
  "button",
  "output",
  "progress",
  "meter",
  "datalist",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "header",
  "footer",
  "main",
  "nav",
  "section",
  "article",
  "aside",
  "figure",
  "figcaption",
  "details",
  "summary",
  "dialog",
  "template",
  "slot",
  "iframe",
  "video",
  "audio",
  "source",
  "track",
  "picture",
  "canvas",
  "svg",
  "g",
  "path",
  "circle",
  "rect",
  "line",
  "text",
  "use",
  "defs",
  "em",
  "strong",
  "b",
  "i",
  "u",
  "s",
  "small",
  "sub",
  "sup",
  "code",
  "pre",
  "blockquote",
  "hr",
  "br",
  "time",
  "address",
  "noscript",
  "class",
  "id",
  "name",
  "value",
  "type",
  "href",
  "src",
  "alt",
  "rel",
  "for",
  "role",
  "lang",
  "dir",
  "content",
  "charset",
  "width",
  "height",
  "hidden",
  "disabled",
  "checked",
  "selected",
  "multiple",
  "required",
  "readonly",
  "placeholder",
  "autocomplete",
  "action",
  "method",
  "target",
  "colspan",
  "rowspan",
  "tabindex",
  "open",
  "media",
  "min",
  "max",
  "step",
  "rows",
  "cols",
  "viewBox",
  "d",
  "fill",
  "stroke",
  "stroke-width",
  "transform",
  "x",
  "y",
  "r",
  "cx",
  "cy",
  "xmlns",
  "srcset",
  "sizes",
  "loading",
  "aria-label",
  "aria-hidden",
  "aria-expanded",
  "aria-controls",
  "aria-labelledby",
  "aria-describedby",
  "aria-current",
  "aria-selected",
  "true",
  "false",
  "submit",
  "checkbox",
  "radio",
  "hidden ",
  "password",
  "email",
  "search",
  "number",
  "date",
  "stylesheet",
  "0",
  "1",
  "2",
  "on",
  "off",
  "none",
  " ",
  "\n",
  "\n  ",
  "\n    ",
  "\n      ",
  "\n        ",
];

export const VERSION = 3;
export const DEFLATED = 0;
export const LARGE = 8192;
export const KEPT = 48;
export const TABLE = 65536;
export const MAX_DEPTH = 512;
