/** What a page shows of another host of the website, in a frame that its own scripts can not reach into, is shared as well. */

import type { Frame, Page } from "@playwright/test";
import { expect, faults, inFrame, test } from "./hosts.ts";
import { plain } from "./rig.ts";

test("a frame of another host of the site is seen, live and masked", async ({ page, site, agent, start }) => {
  const received: Buffer[] = [];
  agent.page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => received.push(plain(payload))));
  agent.page.on("response", async (response) => received.push(await response.body().catch(() => Buffer.alloc(0))));
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  await start(page);
  const seen = (selector: string) => expect.poll(() => agent.mirror.text(`#pay >>> ${selector}`));
  await seen("h1").toBe("Pay here");
  // Of its own size again, and not of that of the box in its place.
  expect(await agent.mirror.size("#pay")).toEqual(await page.locator("#pay").evaluate((frame: HTMLElement) => ({ width: frame.offsetWidth, height: frame.offsetHeight })));
  await expect.poll(() => agent.mirror.background("#pay >>> h1")).toBe("rgb(1, 2, 3)");
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toBe("Ada");
  await expect.poll(() => agent.mirror.naturalWidth("#pay >>> #logo")).toBe(31);
  await inFrame(page).locator("#name").fill("Grace");
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toBe("Grace");
  await inFrame(page).locator("#press").click();
  await seen("#said").toBe("Pressed by Grace");
  await inFrame(page).locator("html").evaluate((html) => html.scrollTo({ top: 120, behavior: "instant" }));
  await expect.poll(() => agent.mirror.scrollTop("#pay >>> html")).toBe(120);

  // What is private there, whether it was there before or is typed now, and where another document repeats it.
  await inFrame(page).locator("#pw").fill("CANARY-3-typed");
  await inFrame(page).locator("#card").fill("CANARY-4-typed");
  await inFrame(page).locator("#name").focus();
  await expect.poll(() => agent.mirror.value("#pay >>> #pw")).toBe("••••••••");
  await expect.poll(() => agent.mirror.value("#pay >>> #card")).toMatch(/^•+$/);
  await page.evaluate(() => document.querySelector("h1")?.append(" repeats CANARY-4-typed"));
  await expect.poll(() => agent.mirror.text("h1")).toMatch(/repeats •+$/);
  const all = Buffer.concat(received);
  expect(all.includes("Pay here")).toBe(true);
  expect(all.includes("CANARY")).toBe(false);
  // Nothing of the frame of a host that is none of the site.
  expect(await agent.mirror.html("#stranger >>> p")).toBeNull();
  expect(all.includes("STRANGER-TEXT")).toBe(false);
  expect(errors).toEqual([]);
});

test("frames that navigate, reload, come and go are followed, and a stranger's is a box again", async ({ page, site, agent, start }) => {
  await start(page);
  const text = (selector: string) => expect.poll(() => agent.mirror.text(selector));
  await text("#pay >>> h1").toBe("Pay here");
  const go = (url: string) =>
    page.locator("#pay").evaluate((frame: HTMLIFrameElement, url) => {
      frame.src = url;
    }, url);
  await inFrame(page).locator("#name").fill("Grace");
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toBe("Grace");
  await inFrame(page).locator("html").evaluate(() => location.reload());
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toBe("Ada");
  await inFrame(page).locator("html").evaluate(() => {
    location.href = "/done";
  });
  await text("#pay >>> h1").toBe("Thank you");
  // Its own script changes its address; it stays.
  await inFrame(page).locator("h1").evaluate((heading) => {
    history.pushState(null, "", "/after?x=1");
    heading.textContent = "After";
  });
  await text("#pay >>> h1").toBe("After");
  // To the page's own host, of which the page tells by itself, and back.
  await go(`${site.shop}/inner`);
  await text("#pay >>> #inner").toBe("Inner of the shop");
  await go(`${site.pay}/done`);
  await text("#pay >>> h1").toBe("Thank you");
  await go(`${site.stranger}/`);
  await expect.poll(() => agent.mirror.html("#pay >>> h1")).toBeNull();
  await expect(inFrame(page).locator("p")).toHaveText("STRANGER-TEXT");
  // A policy under which no script may fetch the picture.
  await go(`${site.pay}/strict`);
  await expect.poll(() => agent.mirror.naturalWidth("#pay >>> #logo")).toBe(31);
  await page.locator("#pay").evaluate((frame) => frame.remove());
  await expect.poll(() => agent.mirror.html("#pay")).toBeNull();
  await page.evaluate((url) => {
    const frame = document.createElement("iframe");
    frame.id = "late";
    frame.src = url;
    document.body.append(frame);
  }, `${site.pay}/done`);
  await text("#late >>> h1").toBe("Thank you");
  expect(await faults(site)).toEqual([]);
});

test("a frame of the shop in a frame of another host in the shop", async ({ page, site, agent, start }) => {
  await start(page);
  await page.locator("#pay").evaluate((frame: HTMLIFrameElement, url) => {
    frame.src = url;
  }, `${site.pay}/nest`);
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toBe("Nest");
  await expect.poll(() => agent.mirror.text("#pay >>> #in >>> #inner")).toBe("Inner of the shop");
  await inFrame(page).frameLocator("#in").locator("#inner").evaluate((p) => p.append(", changed"));
  await expect.poll(() => agent.mirror.text("#pay >>> #in >>> #inner")).toBe("Inner of the shop, changed");
  await inFrame(page).locator("#in").evaluate((frame) => frame.remove());
  await expect.poll(() => agent.mirror.html("#pay >>> #in")).toBeNull();
  expect(await faults(site)).toEqual([]);
});

test("a frame that never ends to load is seen, and so is the next document in it", async ({ page, site, agent, start }) => {
  for (const name of ["one", "two"]) site.put("pay", `/${name}`, `<!doctype html><h1>${name}</h1><img src=/never>`);
  site.put("shop", "/frame", "<!doctype html><h1>Shop</h1><iframe id=pay></iframe>");
  await page.addInitScript(() => {
    const { heard } = Object.assign(window, { heard: [] as unknown[] });
    addEventListener("message", ({ data }) => heard.push(data));
  });
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route("**/never", () => {});
  await page.route(`${site.pay}/.tandem/loader.js*`, (route) => held.then(() => route.continue()));
  await start(page, "/frame");
  await page.locator("#pay").evaluate((frame: HTMLIFrameElement, url) => {
    frame.src = url;
  }, `${site.pay}/one`);
  // It is asked who is there before it could answer.
  const asked = () => page.frame({ url: `${site.pay}/one` })?.evaluate(() => (window as unknown as { heard: unknown[] }).heard.length);
  await expect.poll(asked).toBeGreaterThan(0);
  release();
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toBe("one");
  await inFrame(page).locator("h1").evaluate(() => {
    location.href = "/two";
  });
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toBe("two");
  expect(await faults(site)).toEqual([]);
});

test("a frame that is seen before it has loaded joins once", async ({ page, site, agent, start }) => {
  site.put("pay", "/one", "<!doctype html><h1>one</h1><img src=/late>");
  site.put("shop", "/frame", "<!doctype html><h1>Shop</h1><iframe id=pay></iframe>");
  await page.addInitScript(() => {
    const { heard } = Object.assign(window, { heard: [] as unknown[] });
    addEventListener("message", ({ data }) => {
      heard.push(data.joined ? "joined" : (data.tandem ?? data));
      if (data.tandem === "who") Object.assign(window, { number: data.frame });
    });
  });
  const count = (of: Page | Frame, word: string) =>
    of.evaluate((word) => (window as unknown as { heard: unknown[] }).heard.filter((it) => it === word).length, word);
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route("**/late", (route) => held.then(() => route.fulfill({ status: 404 })));
  await start(page, "/frame");
  await page.locator("#pay").evaluate((frame: HTMLIFrameElement, url) => {
    frame.src = url;
  }, `${site.pay}/one`);
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toBe("one");
  const frame = page.frame({ url: `${site.pay}/one` }) as Frame;
  const asked = await count(frame, "who");
  release();
  await expect.poll(() => count(frame, "who")).toBeGreaterThan(asked);
  await frame.evaluate(() => parent.postMessage("after", "*"));
  await expect.poll(() => count(page, "after")).toBe(1);
  expect(await count(page, "here")).toBe(1);
  // Another frame says that this one has gone: it is asked again, and heard.
  const joined = await count(page, "joined");
  await frame.evaluate(() => parent.postMessage({ tandem: "gone", frame: (window as unknown as { number: number }).number }, "*"));
  await expect.poll(() => count(page, "joined")).toBeGreaterThan(joined);
  expect(await count(page, "here")).toBe(1);
});

test("a frame that was no part of the page for a while is seen again", async ({ page, agent, start }) => {
  let last = 0;
  page.on("websocket", (socket) => {
    if (socket.url().includes("/inset")) socket.on("framesent", () => (last = Date.now()));
  });
  await start(page);
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toBe("Pay here");
  await inFrame(page).locator("#name").fill("Grace");
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toBe("Grace");
  // There is nothing to compare any more, by which it would learn that the server has it no more.
  await expect.poll(() => Date.now() - last, { timeout: 20_000 }).toBeGreaterThan(2_000);
  await page.locator("#pay").evaluate((frame) => frame.setAttribute("data-tandem", "ignore"));
  await expect.poll(() => agent.mirror.html("#pay")).toBeNull();
  await page.locator("#pay").evaluate((frame) => frame.removeAttribute("data-tandem"));
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toBe("Grace");
});

test("what frames had loaded before the session and draw is brought by them, whatever their policy forbids", async ({ page, site, agent, start }) => {
  const policy = "default-src 'none'; script-src 'nonce-own'; style-src 'self'; img-src 'self'";
  const once = { "cache-control": "no-store" };
  const names = ["one", "two"] as const;
  for (const [shade, name] of names.entries()) {
    const paint = `const context = drawing.getContext("2d"); context.fillStyle = "rgb(200, 30, ${shade})"; context.fillRect(0, 0, 60, 40)`;
    const html = `<!doctype html><link rel=stylesheet href=/${name}.css><h1>${name}</h1><img id=picture src=/${name}.svg><canvas id=drawing width=60 height=40></canvas>`;
    site.put("pay", `/${name}`, `${html}<script nonce=own>${paint}</script>`, { "content-security-policy": policy });
    site.put("pay", `/${name}.css`, `h1 { background: rgb(9, 8, ${shade}) }`, { "content-type": "text/css", ...once });
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${31 + shade}" height="17"><circle r="9"/></svg>`;
    site.put("pay", `/${name}.svg`, svg, { "content-type": "image/svg+xml", ...once });
  }
  const frames = names.map((name) => `<iframe id=${name} src="${site.pay}/${name}" width=300 height=200></iframe>`).join("");
  site.put("shop", "/both", `<!doctype html><h1>Shop</h1>${frames}`);
  await start(page, "/both");
  for (const [shade, name] of names.entries()) {
    await expect.poll(() => agent.mirror.text(`#${name} >>> h1`)).toBe(name);
    await expect.poll(() => agent.mirror.background(`#${name} >>> h1`), name).toBe(`rgb(9, 8, ${shade})`);
    await expect.poll(() => agent.mirror.naturalWidth(`#${name} >>> #picture`), name).toBe(31 + shade);
    await expect.poll(() => agent.mirror.colour(`#${name} >>> #drawing`), name).toEqual([200, 30, shade]);
  }
});

test("what was scrolled in a frame before the session is where the customer has it", async ({ page, site, agent, start }) => {
  const box = "<div id=box style='height:60px;width:90px;overflow:scroll'><p style='height:900px'>Long</div>";
  site.put("pay", "/scrolled", `<!doctype html>${box}<script>box.scrollTop = 77</script>`);
  site.put("shop", "/one", `<!doctype html><h1>Shop</h1><iframe id=pay src="${site.pay}/scrolled"></iframe>`);
  await start(page, "/one");
  await expect.poll(() => agent.mirror.scrollTop("#pay >>> #box")).toBe(77);
});

test("a frame that is not shown, or out of sight, is scrolled as the customer will find it", async ({ page, site, agent, start }) => {
  const box = "<div id=box style='height:60px;width:90px;overflow:scroll'><p style='height:900px'>Long</div>";
  site.put("pay", "/scrolled", `<!doctype html>${box}<script>box.scrollTop = 77</script>`);
  const frames = ["hidden", "below"].map((id) => `<iframe id=${id} src="${site.pay}/scrolled"></iframe>`).join("<p style='height:3000px'>Far");
  const hide = "<script>document.querySelector('iframe').onload = ({ target }) => { target.hidden = true; }</script>";
  site.put("shop", "/two", `<!doctype html><h1>Shop</h1>${frames.replace("</iframe>", `</iframe>${hide}`)}`);
  await start(page, "/two");
  for (const id of ["hidden", "below"]) await expect.poll(() => agent.mirror.text(`#${id} >>> p`)).toBe("Long");
  await page.locator("#hidden").evaluate((frame: HTMLElement) => {
    frame.hidden = false;
  });
  const top = (id: string) => expect.poll(() => agent.mirror.scrollTop(`#${id} >>> #box`), id);
  await top("hidden").toBe(77);
  await top("below").toBe(77);
  const to = (top: number) =>
    page.frameLocator("#below").locator("#box").evaluate((box, top) => box.scrollTo(0, top), top);
  await to(55);
  await top("below").toBe(55);
  await to(0);
  await top("below").toBe(0);
});

test("after a restart, a reload and a change of rules the frame is there as it is", async ({ page, site, agent, start }) => {
  await start(page);
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toBe("Pay here");
  await inFrame(page).locator("#name").fill("Grace");
  await site.restart();
  await inFrame(page).locator("h1").evaluate((heading) => heading.append(" again"));
  await expect.poll(() => agent.mirror.text("#pay >>> h1"), { timeout: 20_000 }).toBe("Pay here again");
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toBe("Grace");
  await agent.page.reload();
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toBe("Pay here again");
  // Rules for the frame's own address.
  await site.policy(`urls = ["/form"]\n[[mask]]\nselect = "h1, #name"\n`);
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toMatch(/^[• ]+$/);
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toMatch(/^•+$/);
  expect(await agent.mirror.text("h1")).toBe("Shop");
  await page.reload();
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toMatch(/^•+$/);
});

test("an agent clicks and types in such a frame, and no form leaves it", async ({ page, agent, start, writes }) => {
  test.slow();
  await start(page);
  await writes(page);
  await expect.poll(() => agent.mirror.text("#pay >>> #press")).toBe("Press");
  await agent.mirror.click("#pay >>> #name");
  await agent.page.keyboard.press("End");
  await agent.page.keyboard.type(" Lovelace");
  await expect(inFrame(page).locator("#name")).toHaveValue("Ada Lovelace");
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toBe("Ada Lovelace");
  await agent.mirror.click("#pay >>> #press");
  await expect(inFrame(page).locator("#said")).toHaveText("Pressed by Ada Lovelace");
  await expect.poll(() => agent.mirror.text("#pay >>> #said")).toBe("Pressed by Ada Lovelace");
  // A form is the customer's to send: neither Enter nor its button does.
  await agent.mirror.click("#pay >>> #name");
  await agent.page.keyboard.press("Enter");
  await agent.mirror.click("#pay >>> #send");
  await expect(agent.page.getByText(/only the customer/i).first()).toBeVisible();
  await agent.mirror.click("#pay >>> #press");
  await expect.poll(() => agent.mirror.text("#pay >>> #said")).toBe("Pressed by Ada Lovelace");
  expect(await inFrame(page).locator("html").evaluate(() => location.pathname)).toBe("/form");
  // What is private there can not be used.
  await agent.mirror.click("#pay >>> #card");
  await agent.page.keyboard.type("4");
  await expect(inFrame(page).locator("#card")).toHaveValue("");
  // Once the customer has taken it back, nothing is done there any more.
  await page.getByRole("button", { name: "Take back control" }).click();
  await expect(agent.mode()).toHaveText("Pointer");
  await agent.mirror.click("#pay >>> #name");
  await agent.page.keyboard.type("no");
  await expect(inFrame(page).locator("#name")).toHaveValue("Ada Lovelace");
});

test("no form leaves a window because of what an agent does in another one that speaks to it", async ({ page, site, agent, start, writes }) => {
  test.slow();
  const form = (how: string) => `<form action=/sent target=sink><input name=from value=${how}></form><iframe name=sink></iframe>`;
  const told = (how: string) => `addEventListener("message", ({ data }) => { if (data === "send") setTimeout(() => document.forms[0].${how}()); });`;
  site.put("pay", "/told", `<!doctype html><title>Pay</title><button id=tell>Tell</button><button id=reach>Reach</button>${form("pay")}<script>
    ${told("requestSubmit")} tell.onclick = () => parent.postMessage("send", "*"); reach.onclick = () => parent.reached.document.forms[0].submit();</script>`);
  site.put("pay", "/beside", `<!doctype html><title>Beside</title><p id=here>Beside</p>${form("beside")}<script>${told("submit")}</script>`);
  site.put("shop", "/tells", `<!doctype html><title>Shop</title><button id=speak>Speak</button>${form("shop")}
    <iframe id=pay src="${site.pay}/told"></iframe><iframe id=beside name=reached src="${site.pay}/beside"></iframe><script>
    ${told("submit")} speak.onclick = () => pay.contentWindow.postMessage("send", "*");
    addEventListener("message", ({ data, source }) => { if (data === "send" && source === pay.contentWindow) beside.contentWindow.postMessage("send", "*"); });</script>`);
  await start(page, "/tells");
  await writes(page);
  const sent: string[] = [];
  page.on("request", (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === "/sent") sent.push(searchParams.get("from") ?? "");
  });
  await expect.poll(() => agent.mirror.text("#pay >>> #tell")).toBe("Tell");
  await expect.poll(() => agent.mirror.text("#beside >>> #here")).toBe("Beside");
  for (const selector of ["#pay >>> #tell", "#pay >>> #reach", "#speak"]) {
    await agent.mirror.click(selector);
    await expect(agent.page.getByText("Only the customer can use this.").first(), selector).toBeVisible();
    await agent.dismiss("Only the customer can use this.");
    expect(sent).toEqual([]);
  }
  // The customer's own press is theirs in all of them, right after an action too.
  await inFrame(page).locator("#tell").click();
  await expect.poll(() => [...sent].sort()).toEqual(["beside", "shop"]);
  await page.locator("#speak").click();
  await expect.poll(() => sent).toContain("pay");
  await agent.mirror.click("#speak");
  await inFrame(page).locator("#reach").click();
  await expect.poll(() => sent.filter((from) => from === "beside").length).toBe(2);
});

test("who is not of the site gets nothing: neither a page around the frame nor one in it", async ({ page, context, site, agent, start }) => {
  await start(page);
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toBe("Pay here");
  // In a frame of the shop: it is not asked, and its answer is worth nothing.
  await expect(page.frameLocator("#stranger").locator("#heard")).toHaveText("");
  // Around the form: speaks to it as a page of the site would, with a ticket that it made up.
  const evil = await context.newPage();
  const requests: string[] = [];
  evil.on("request", (request) => requests.push(new URL(request.url()).pathname));
  evil.on("websocket", (socket) => requests.push(new URL(socket.url()).pathname));
  await evil.goto(`${site.stranger}/`);
  const heard = await evil.evaluate(
    (url) =>
      new Promise<string[]>((resolve) => {
        const heard: string[] = [];
        const frame = document.createElement("iframe");
        frame.src = url;
        frame.onload = () => {
          for (const word of [{ tandem: "who" }, { tandem: "join", ticket: "a.b" }, { tandem: "here" }]) frame.contentWindow?.postMessage(word, "*");
          // Messages are heard in order: a second frame's load is later than all that the first would say at once.
          const second = document.createElement("iframe");
          second.src = url;
          second.onload = () => resolve(heard);
          document.body.append(second);
        };
        addEventListener("message", ({ source, data }) => {
          if (source !== window) heard.push(JSON.stringify(data));
        });
        document.body.append(frame);
      }),
    `${site.pay}/form`,
  );
  expect(heard).toEqual([]);
  expect(requests.filter((path) => path.startsWith("/.tandem/") && path !== "/.tandem/loader.js")).toEqual([]);
});

test("the page around a frame learns nothing of what is in it", async ({ page, site, agent, start }) => {
  await page.addInitScript(() => {
    const all: string[] = [];
    Object.assign(window, { all });
    addEventListener("message", ({ data, ports }) => all.push(JSON.stringify(data) + ports.length));
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      all.push(typeof data === "string" ? data : new TextDecoder("latin1").decode(data as ArrayBuffer));
      return send.call(this, data);
    };
  });
  const tickets: string[] = [];
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      const message = typeof payload === "string" ? JSON.parse(payload) : {};
      if (message.type === "ticket") tickets.push(message.ticket);
    }),
  );
  await start(page);
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toBe("Pay here");
  const seen = async () => (await page.mainFrame().evaluate(() => (window as unknown as { all: string[] }).all)).join("\n");
  expect(await seen()).toContain('"tandem":"here"');
  expect(await seen()).toContain('"type":"invite"');
  expect(await seen()).not.toContain("Pay here");
  // A ticket is used up: who has overheard it does not get in with it.
  const [ticket] = tickets;
  expect(ticket).toBeTruthy();
  const code = await page.evaluate(
    ([base, ticket]) =>
      new Promise<number>((resolve) => {
        const about = new URLSearchParams({ ticket: ticket ?? "", url: `${base}/form` });
        const socket = new WebSocket(`${base?.replace("http", "ws")}/.tandem/session/inset?${about}`);
        socket.onclose = ({ code }) => resolve(code);
      }),
    [site.shop, ticket],
  );
  expect(code).toBe(4001);
});
