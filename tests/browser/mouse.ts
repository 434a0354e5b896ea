/** The agent's mouse. */

import type { Agent } from "./rig.ts";

/** Puts the agent's pointer on the middle of an element. */
export async function point(agent: Agent, selector: string): Promise<void> {
  const at = await agent.mirror.middle(selector);
  await agent.page.mouse.move(at.x, at.y);
}

/** The agent's mouse with its button held. Playwright's own waits in such a move for scripts of frames that have none. */
export async function held(agent: Agent, walk: { x: number; y: number }[], release = true): Promise<void> {
  const mouse = await agent.page.context().newCDPSession(agent.page);
  const [start] = walk;
  if (!start) return;
  const send = (type: "mouseMoved" | "mousePressed" | "mouseReleased", at: { x: number; y: number }, buttons: number) =>
    mouse.send("Input.dispatchMouseEvent", { type, ...at, buttons, button: type === "mouseMoved" ? "none" : "left", clickCount: 1 });
  await send("mouseMoved", start, 0);
  await send("mousePressed", start, 1);
  for (const at of walk.slice(1)) await send("mouseMoved", at, 1);
  if (release) await send("mouseReleased", walk.at(-1) ?? start, 0);
  await mouse.detach();
}

/** Lets go of what is held. */
export async function letGo(agent: Agent, at: { x: number; y: number }): Promise<void> {
  const mouse = await agent.page.context().newCDPSession(agent.page);
  await mouse.send("Input.dispatchMouseEvent", { type: "mouseReleased", ...at, buttons: 0, button: "left", clickCount: 1 });
  await mouse.detach();
}

/** Presses at one element, goes to another in steps, and lets go there. Returns where. */
export async function drag(agent: Agent, from: string, to: string, shift = { x: 0, y: 0 }, release = true): Promise<{ x: number; y: number }> {
  const [start, end] = [await agent.mirror.middle(from), await agent.mirror.middle(to)];
  const walk = Array.from({ length: 13 }, (_, step) => ({
    x: start.x + ((end.x + shift.x - start.x) * step) / 12,
    y: start.y + ((end.y + shift.y - start.y) * step) / 12,
  }));
  await held(agent, walk, release);
  return { x: end.x + shift.x, y: end.y + shift.y };
}
