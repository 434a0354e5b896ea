/** A view that is sent again, as to who has fallen behind, takes nothing of what the agent does in it. */
import { type Agent, expect, test } from "./rig.ts";
import { desk, unanswered, valueAt } from "./typing.ts";

/** Sends the agent the whole view again, as when they have fallen behind. */
async function viewAgain({ page }: Agent): Promise<void> {
  const mirror = await page.evaluateHandle(() => {
    const frame = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]');
    (window as unknown as { kept: globalThis.WebSocket }).kept.send('{"type":"resync"}');
    return frame?.contentDocument?.documentElement;
  });
  await expect.poll(() => mirror.evaluate((root) => root?.isConnected)).toBe(false);
}

async function keepSocket({ page }: Agent): Promise<void> {
  await page.addInitScript(() => {
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL) {
        super(url);
        Object.assign(window, { kept: this });
      }
    };
  });
}

test("a view that is sent again loses neither what the agent has typed and not sent nor their caret", async ({ customer, agent, writing }) => {
  const answer = await unanswered(customer);
  await keepSocket(agent);
  await writing("/help");
  await desk(customer, agent, '<input id="field" value="start"><div id="host" contenteditable="true">start</div>');
  await agent.mirror.click("#field");
  await agent.page.keyboard.press("End");
  await agent.page.keyboard.type("abd");
  await agent.page.keyboard.press("ArrowLeft");
  await viewAgain(agent);
  await expect.poll(() => agent.mirror.value("#field")).toBe("startabd");
  await agent.page.keyboard.type("c");
  await agent.mirror.click("#host");
  await agent.page.keyboard.press("End");
  await agent.page.keyboard.type("xy");
  await agent.page.keyboard.press("Backspace");
  await viewAgain(agent);
  await agent.page.keyboard.type("z");
  await expect.poll(() => agent.mirror.text("#host")).toBe("startxz");
  answer();
  await expect.poll(() => valueAt(customer, "#field")).toBe("startabcd");
  await expect.poll(() => valueAt(customer, "#host")).toBe("startxz");
  // Nothing waits for an answer that the view has taken the place of.
  await viewAgain(agent);
  await agent.page.keyboard.type("!");
  await expect.poll(() => valueAt(customer, "#host")).toBe("startxz!");
  await expect.poll(() => agent.mirror.value("#field")).toBe("startabcd");
  await expect.poll(() => agent.mirror.text("#host")).toBe("startxz!");
});

test("the agent is told when a view that is sent again has no place for what they typed", async ({ customer, agent, writing }) => {
  await unanswered(customer);
  await keepSocket(agent);
  await writing("/help");
  await desk(customer, agent, '<input id="field" value="start"><div id="host" contenteditable="true">start</div>');
  for (const id of ["#field", "#host"]) {
    await agent.mirror.click(id);
    await agent.page.keyboard.type("ab");
    await customer.page.locator(id).evaluate((element) => element.remove());
    await expect.poll(() => agent.mirror.text(id)).toBeNull();
    await viewAgain(agent);
    const note = agent.page.getByText("That is not on the page any more.");
    await expect(note).toBeVisible();
    await note.locator("..").getByRole("button").first().click();
    await expect(note).toBeHidden();
  }
});

test("an answer that the agent has missed comes with the view that is sent again, and what waits for it goes on", async ({ customer, agent, writing }) => {
  let [isMissing, missed] = [false, 0];
  let resync = (): void => {};
  await agent.page.routeWebSocket(/./, (page) => {
    const server = page.connectToServer();
    resync = () => server.send('{"type":"resync"}');
    server.onMessage((message) => {
      if (isMissing && typeof message === "string" && message.includes('"done"')) missed += 1;
      else page.send(message);
    });
  });
  await writing("/help");
  await desk(customer, agent, '<input id="field" value="start"><div id="host" contenteditable="true">start</div>');
  for (const id of ["#field", "#host"]) {
    await agent.mirror.click(id);
    await agent.page.keyboard.press("End");
    [isMissing, missed] = [true, 0];
    await agent.page.keyboard.type("a");
    await expect.poll(() => valueAt(customer, id)).toBe("starta");
    await expect.poll(() => missed).toBeGreaterThan(0);
    // One edit is on its way at a time.
    await agent.page.keyboard.type("b");
    isMissing = false;
    resync();
    await expect.poll(() => valueAt(customer, id)).toBe("startab");
    await agent.page.keyboard.type("c");
    await expect.poll(() => valueAt(customer, id)).toBe("startabc");
    await expect.poll(async () => (await agent.mirror.value(id)) ?? (await agent.mirror.text(id))).toBe("startabc");
  }
});
