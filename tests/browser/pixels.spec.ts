/** Both screens are the same, pixel by pixel, but for what is masked and our own panel. */
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";
import { expect, test } from "./rig.ts";

/** Share of pixels that may differ: round corners of the frame, a caret. */
const ALLOWED = 0.005;

/** How far the shadow of our panel reaches, in CSS pixels. */
const SHADOW = 40;

const pages = ["/", "/catalogue", "/catalogue/misty-ridge-sencha", "/basket", "/checkout", "/story", "/app/orders"];

test("the agent's picture of the shop is the customer's", async ({ customer, agent, session }) => {
  test.slow();
  await session("/help");
  for (const path of pages) {
    await customer.open(path);
    await expect(agent.page.getByRole("textbox", { name: "Address" })).toHaveValue(customer.page.url());
    await expect(async () => expect(await difference(customer, agent), path).toBeLessThan(ALLOWED)).toPass({ timeout: 8_000 });
  }
});

test("what the customer has selected looks the same, also in the page's own colours", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(() => {
    const own = "p.own::selection { background: #b2182b; color: #ffe082 }";
    document.body.innerHTML = `<style>p { font: 40px sans-serif } ${own}</style><p>Selected as the browser shows it</p><p class="own">as the page says</p>`;
    getSelection()?.selectAllChildren(document.body);
  });
  await expect(async () => expect(await difference(customer, agent)).toBeLessThan(ALLOWED)).toPass({ timeout: 8_000 });
});

type Screen = { page: import("@playwright/test").Page };

async function difference(customer: Screen, agent: Screen): Promise<number> {
  const frame = await agent.page.locator('iframe[title="Customer\'s page"]').boundingBox();
  const panel = await customer.page.getByRole("dialog", { name: "Co-browsing" }).boundingBox();
  if (!frame || !panel) return 1;
  const there = PNG.sync.read(await customer.page.screenshot({ caret: "hide" }));
  const here = PNG.sync.read(await agent.page.screenshot({ clip: frame, style: ".overlay, .notes { display: none }" }));
  const [width, height] = [Math.min(there.width, here.width), Math.min(there.height, here.height)];
  const cut = (png: PNG) => {
    const cropped = new PNG({ width, height });
    PNG.bitblt(png, cropped, 0, 0, width, height, 0, 0);
    // Our own panel and its shadow are only on the customer's side.
    const [left, top] = [Math.max(0, Math.floor(panel.x - SHADOW)), Math.max(0, Math.floor(panel.y - SHADOW))];
    for (let y = top; y < height; y++) cropped.data.fill(0, (y * width + left) * 4, (y + 1) * width * 4);
    return cropped.data;
  };
  return pixelmatch(cut(there), cut(here), undefined, width, height, { threshold: 0.2 }) / (width * height);
}
