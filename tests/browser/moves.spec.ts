/** What moves on the customer's page moves on the agent's, and is as far. */
import { type Animated, animationsOf, anyStyle, expect, put, test, type Agent, type Customer } from "./rig.ts";

/** Two animations are as far as each other, in milliseconds. */
const NEAR = 100;

const STYLES = `<style>
  @keyframes turn { to { opacity: 0.2 } } @keyframes go { from { left: 0 } to { left: 100px } }
  .box { position: relative; width: 40px; height: 40px; background: #888 }
  .turns { animation: turn 7s linear infinite alternate } .turns::before { content: "x"; position: relative; animation: go 9s linear infinite }
</style>`;

function there({ page }: Customer, selector: string): Promise<Animated[]> {
  return page.locator(selector).evaluate(animationsOf);
}

/** How far the agent's animations of an element are from the customer's, in milliseconds of the wall clock. */
async function apart(customer: Customer, agent: Agent, selector: string): Promise<number> {
  const [theirs, ours] = [await there(customer, selector), (await agent.mirror.animations(selector)) ?? []];
  if (theirs.length === 0 || theirs.length !== ours.length) return Number.POSITIVE_INFINITY;
  const differences = theirs.map((one) => {
    const same = ours.find(({ part, name }) => part === one.part && name === one.name);
    if (!same || same.state !== one.state || same.rate !== one.rate) return Number.POSITIVE_INFINITY;
    return Math.abs(one.state === "paused" ? one.time - same.time : one.begun - same.begun);
  });
  return Math.max(...differences);
}

test("animations of style sheets that began before anybody looked, and for an agent who comes back", async ({ customer, agent }) => {
  await anyStyle(customer);
  await customer.logIn();
  await customer.open("/help");
  await customer.page.evaluate((styles) => {
    document.body.insertAdjacentHTML("afterbegin", `${styles}<div id="moves" class="box turns"></div><div id="host"></div>`);
    const root = document.querySelector("#host")?.attachShadow({ mode: "open" });
    if (root) root.innerHTML = `${styles}<div class="box turns"></div>`;
    // As after a while.
    for (const animation of document.querySelector("#moves")?.getAnimations({ subtree: true }) ?? []) animation.currentTime = 4321;
    for (const animation of root?.getAnimations() ?? []) animation.currentTime = 3210;
  }, STYLES);
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
  const shadow = async () => {
    const ours = await agent.mirror.animations("#host >>> .turns");
    const theirs = await customer.page.evaluate(`(${animationsOf})(document.querySelector("#host").shadowRoot.querySelector(".turns"))`) as Animated[];
    return ours?.length === 2 ? Math.max(...theirs.map(({ begun }, at) => Math.abs(begun - (ours[at]?.begun ?? 0)))) : 9999;
  };
  await expect.poll(shadow).toBeLessThan(NEAR);
  await agent.page.reload();
  await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
});

test("what scripts do to animations: stopped, taken elsewhere, faster, backwards", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, `${STYLES}<div id="moves" class="box turns"></div>`);
  await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
  const script = (work: (all: Animation[]) => void) =>
    customer.page.evaluate(`(${work})(document.querySelector("#moves").getAnimations({ subtree: true }))`);
  for (const work of [
    (all: Animation[]) => all.forEach((animation) => (animation.currentTime = 5000)),
    (all: Animation[]) => all.forEach((animation) => animation.pause()),
    (all: Animation[]) => all.forEach((animation) => (animation.currentTime = 1234)),
    (all: Animation[]) => all.forEach((animation) => animation.play()),
    (all: Animation[]) => all.forEach((animation) => animation.updatePlaybackRate(0.5)),
    (all: Animation[]) => all.forEach((animation) => animation.reverse()),
    (all: Animation[]) => all.forEach((animation) => animation.cancel()),
    () => document.querySelector("#moves")?.classList.remove("turns"),
    () => document.querySelector("#moves")?.classList.add("turns"),
    () => Object.assign((document.querySelector("#moves") as HTMLElement).style, { animationPlayState: "paused" }),
    () => Object.assign((document.querySelector("#moves") as HTMLElement).style, { animationPlayState: "" }),
  ]) {
    await script(work);
    // Gone on both sides, then.
    if (/cancel|remove/.test(`${work}`)) continue;
    await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
  }
});

test("animations that scripts make, and what becomes of them", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, `${STYLES}<div id="moves" class="box"></div>`, `
    window.made = moves.animate([{ opacity: 1, left: "0px" }, { opacity: 0.4, offset: 0.25, easing: "ease-in" }, { opacity: 0, left: "80px" }],
      { duration: 8000, iterations: Infinity, direction: "alternate", delay: -3000, easing: "linear" });`);
  await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
  await customer.page.evaluate(() => {
    const { made } = window as unknown as { made: Animation };
    made.pause();
    made.currentTime = 2500;
  });
  await expect.poll(() => apart(customer, agent, "#moves")).toBe(0);
  const looks = ([one]: Animated[]) => [one?.opacity, one?.left];
  await expect.poll(async () => looks((await agent.mirror.animations("#moves")) ?? [])).toEqual(looks(await there(customer, "#moves")));
  await customer.page.evaluate(() => {
    const { made } = window as unknown as { made: Animation };
    (made.effect as KeyframeEffect).setKeyframes([{ left: "10px" }, { left: "20px" }]);
    made.currentTime = 1000;
  });
  await expect.poll(async () => looks((await agent.mirror.animations("#moves")) ?? [])).toEqual(looks(await there(customer, "#moves")));
  // What stays after its end, and what goes.
  await customer.page.evaluate(() => {
    const { made } = window as unknown as { made: Animation };
    made.cancel();
    document.querySelector("#moves")?.animate([{ left: "0px" }, { left: "33px" }], { duration: 200, fill: "forwards" });
  });
  await expect.poll(async () => ((await agent.mirror.animations("#moves")) ?? []).map(({ left, state }) => `${left} ${state}`)).toEqual(["33px finished"]);
  await customer.page.evaluate(() => document.querySelector("#moves")?.getAnimations().forEach((animation) => animation.cancel()));
  await expect.poll(() => agent.mirror.animations("#moves")).toEqual([]);
});

test("a page that tells nonsense of animations is shown all the same", async ({ demo, customer, agent, session }) => {
  const resyncs = async () => /^tandem_session_agent_resyncs_total .*$/m.exec(await (await fetch(`${demo.console}/metrics`)).text())?.[0];
  const before = await resyncs();
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, `${STYLES}<p id="after"></p>`);
  const nonsense = ["--start:-Infinity", "--start:1;--rate:Infinity", "--at:-Infinity", "--start:NaN;--rate:x"];
  await customer.page.evaluate((nonsense) => {
    for (const says of nonsense) {
      for (const name of ["turn", ""]) {
        const element = document.createElement("div");
        element.className = "box turns";
        element.setAttribute("data-tandem-motion", `@keyframes a{0%{opacity:0}}a{animation-name:${name};--iterations:-1;${says}}b{--now:Infinity}`);
        document.querySelector("#after")?.before(element);
      }
    }
    document.querySelector("#after")?.insertAdjacentHTML("afterend", '<div id="moves" class="box turns"></div>');
  }, nonsense);
  await expect.poll(() => agent.mirror.text("#moves")).toBe("");
  // As if it had been told late.
  await customer.page.evaluate(() => document.querySelector("#moves")?.getAnimations({ subtree: true }).forEach((one) => (one.currentTime = 4321)));
  await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
  expect(await resyncs()).toBe(before);
});
