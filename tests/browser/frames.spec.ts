/** What is in frames is seen, masked, pointed at and used like the rest of the page. */
import type { Page } from "@playwright/test";
import { expect, test } from "./rig.ts";

/** Puts frames of every kind into the page; each says its name. */
async function frames(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const main = document.querySelector("main");
    const add = (id: string, set: (frame: HTMLIFrameElement) => void): Promise<void> =>
      new Promise((resolve) => {
        const frame = document.createElement("iframe");
        frame.id = id;
        frame.width = "300";
        frame.height = "120";
        frame.onload = () => resolve();
        set(frame);
        main?.prepend(frame);
      });
    await add("srcdoc", (frame) => {
      frame.srcdoc = "<!doctype html><style>p{color:rgb(1,2,3)}</style><p>In srcdoc</p><input id=field>";
    });
    await add("blob", (frame) => {
      frame.src = URL.createObjectURL(new Blob(["<p>In a blob, with quirks</p>"], { type: "text/html" }));
    });
    await add("same", (frame) => {
      frame.src = "/help";
    });
    await add("blank", () => {});
    const blank = document.querySelector<HTMLIFrameElement>("#blank")?.contentDocument;
    blank?.body.append("Written by script");
    const inner = blank?.createElement("iframe");
    if (blank && inner) {
      inner.id = "inner";
      blank.body.append(inner);
      inner.contentDocument?.body.append("Frame in a frame");
    }
  });
}

test("frames of every kind show what they show to the customer", async ({ customer, agent, session }) => {
  await session("/help");
  await frames(customer.page);
  const text = (selector: string) => expect.poll(() => agent.mirror.text(selector));
  await text("#srcdoc >>> p").toBe("In srcdoc");
  await text("#blob >>> p").toBe("In a blob, with quirks");
  await text("#same >>> h1").toBe((await customer.page.frameLocator("#same").locator("h1").innerText()).trim());
  await text("#blank >>> body").toContain("Written by script");
  await text("#blank >>> #inner >>> body").toBe("Frame in a frame");
  const mode = (id: string) =>
    agent.page.evaluate((id) => {
      const page = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]');
      const frame = page?.contentDocument?.querySelector<HTMLIFrameElement>(id);
      return frame?.contentDocument?.compatMode;
    }, id);
  expect(await mode("#srcdoc")).toBe("CSS1Compat");
  expect(await mode("#blob")).toBe("BackCompat");
  const there = await customer.page.frameLocator("#same").locator("header").first().evaluate((e) => getComputedStyle(e).backgroundColor);
  await expect.poll(() => agent.mirror.background("#same >>> header")).toBe(there);
});
