/** What moves on the customer's page moves on the agent's, and is as far. */
import { type Agent, type Animated, animationsOf, anyStyle, type Customer, expect, lasting as test, plain, put, test as alone } from "./rig.ts";

test.describe.configure({ mode: "default" });

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

/** A long transition of `left`, which the class `far` begins; the shop has none for who wants less motion. */
const SLIDES = `<style>
  #moves { position: relative; width: 40px; height: 40px; background: #888; left: 0; transition: left 20s linear !important } #moves.far { left: 400px }
</style><div id="moves"></div>`;

test("transitions that a script stops, takes elsewhere, reverses and ends", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, SLIDES);
  const script = (work: (moves: Element, all: Animation[]) => void) =>
    customer.page.evaluate(`(${work})(document.querySelector("#moves"), document.querySelector("#moves").getAnimations())`);
  const left = (side: Animated[] | null) => side?.map((one) => Math.round(Number.parseFloat(one.left)));
  for (const work of [
    (moves: Element) => moves.classList.add("far"),
    (_: Element, [one]: Animation[]) => one?.pause(),
    (_: Element, [one]: Animation[]) => one && (one.currentTime = 5000),
    (_: Element, [one]: Animation[]) => one?.play(),
    (_: Element, [one]: Animation[]) => one && (one.currentTime = 12_000),
    (_: Element, [one]: Animation[]) => one?.updatePlaybackRate(0.5),
    (_: Element, [one]: Animation[]) => one?.reverse(),
    // The other way round, from where it is.
    (moves: Element) => moves.classList.remove("far"),
    (moves: Element) => moves.classList.add("far"),
    (_: Element, [one]: Animation[]) => (one?.effect as KeyframeEffect | undefined)?.setKeyframes([{ left: "70px" }, { left: "90px" }]),
    (_: Element, [one]: Animation[]) => one?.effect?.updateTiming({ duration: 40_000, iterations: 2, direction: "alternate" }),
    (_: Element, [one]: Animation[]) => one?.pause(),
  ]) {
    await script(work);
    await expect.poll(() => apart(customer, agent, "#moves"), `${work}`).toBeLessThan(NEAR);
  }
  await expect.poll(async () => left(await agent.mirror.animations("#moves"))).toEqual(left(await there(customer, "#moves")));
  for (const end of ["finish", "cancel"] as const) {
    await customer.page.evaluate((end) => {
      const moves = document.querySelector("#moves") as HTMLElement;
      // Without an animation of the way there.
      moves.style.setProperty("transition", "none", "important");
      moves.className = "";
      moves.getBoundingClientRect();
      moves.style.transition = "";
      moves.className = "far";
      const [one] = moves.getAnimations();
      (window as unknown as { one: Animation | undefined }).one = one;
      return end;
    }, end);
    await expect.poll(() => apart(customer, agent, "#moves"), "begins again").toBeLessThan(NEAR);
    await customer.page.evaluate((end) => (window as unknown as { one: Animation }).one[end](), end);
    await expect.poll(() => agent.mirror.animations("#moves"), end).toEqual([]);
    expect(await there(customer, "#moves")).toEqual([]);
  }
});

test("transitions that a script ends as soon as they begin", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, SLIDES, `moves.classList.add("far"); for (const one of moves.getAnimations()) one.finish();`);
  await customer.page.evaluate(() => document.querySelector("#moves")?.after(document.createElement("hr")));
  expect(await there(customer, "#moves")).toEqual([]);
  await expect.poll(() => agent.mirror.html("hr")).not.toBeNull();
  await expect.poll(() => agent.mirror.animations("#moves")).toEqual([]);
  await customer.page.evaluate(() => document.querySelector("#moves")?.classList.remove("far"));
  await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
  await customer.page.evaluate(() => document.querySelector("#moves")?.getAnimations().forEach((one) => one.cancel()));
  await expect.poll(() => agent.mirror.animations("#moves")).toEqual([]);
});

test("transitions that the agent's page would not begin: in one turn, and for who joins in the middle", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, SLIDES);
  await customer.page.evaluate(() => {
    const moves = document.querySelector("#moves") as HTMLElement;
    moves.style.cssText = "left: 300px; transition: none !important";
    moves.getBoundingClientRect();
    moves.style.cssText = "";
  });
  // There and back: nothing has changed for who only sees how it is then.
  expect(await there(customer, "#moves")).toHaveLength(1);
  await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
  await agent.page.reload();
  await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
  // It ends as it would.
  await customer.page.evaluate(() => document.querySelector("#moves")?.getAnimations().forEach((one) => (one.currentTime = 19_500)));
  await expect.poll(() => agent.mirror.animations("#moves")).toEqual([]);
});

test("keyframes and timing that a script gives an animation of a style sheet, and its end before its time", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, `${STYLES}<div id="moves" class="box turns"></div>`);
  const script = (work: (moves: Element, turn: CSSAnimation, go: CSSAnimation) => void) =>
    customer.page.evaluate(`{
      const all = document.querySelector("#moves").getAnimations({ subtree: true });
      const named = (name) => all.find((one) => one.animationName === name);
      window.turn ??= named("turn"); window.go ??= named("go");
      (${work})(document.querySelector("#moves"), window.turn, window.go);
    }`);
  const looks = (all: Animated[] | null) => all?.map(({ opacity, left, state }) => [Number(opacity).toFixed(2), Math.round(Number.parseFloat(left) || 0), state]);
  const alike = async (work: unknown) => {
    await expect.poll(async () => looks(await agent.mirror.animations("#moves")), `${work}`).toEqual(looks(await there(customer, "#moves")));
  };
  const stand = (_: Element, turn: CSSAnimation, go: CSSAnimation) => {
    turn.pause();
    turn.currentTime = 1500;
    go.pause();
    go.currentTime = 3500;
  };
  for (const work of [
    (_: Element, turn: CSSAnimation) => (turn.effect as KeyframeEffect).setKeyframes([{ opacity: 0.5, left: "10px" }, { opacity: 0.7, left: "30px" }]),
    stand,
    (_: Element, _turn: CSSAnimation, go: CSSAnimation) => (go.effect as KeyframeEffect).setKeyframes({ left: ["50px", "150px", "60px"], easing: "ease-in" }),
    (_: Element, _turn: CSSAnimation, go: CSSAnimation) => go.effect?.updateTiming({ duration: 5000, direction: "reverse", iterations: 3 }),
  ]) {
    await script(work);
    if (work === stand) await alike(work);
  }
  await alike("all of that");
  expect(looks(await there(customer, "#moves"))?.flat()).toContain(93);
  await script((_, turn, go) => [turn, go].forEach((one) => one.play()));
  await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
  // For who comes later, too.
  await script(stand);
  await agent.page.reload();
  await alike("the agent is back");

  // The end of both, before its time; also for who comes later.
  await script((_, turn, go) => {
    turn.cancel();
    go.updatePlaybackRate(1);
    go.finish();
  });
  await expect.poll(() => agent.mirror.animations("#moves")).toEqual([]);
  await agent.page.reload();
  await expect.poll(() => agent.mirror.text("#moves")).toBe("");
  await expect.poll(() => agent.mirror.animations("#moves")).toEqual([]);
  await script((_, turn) => turn.play());
  await expect.poll(() => apart(customer, agent, "#moves"), "plays again").toBeLessThan(NEAR);
  await script((_, turn) => turn.cancel());
  await expect.poll(() => agent.mirror.animations("#moves")).toEqual([]);
  // A style sheet that begins it anew begins another one.
  await script((moves) => moves.classList.remove("turns"));
  await script((moves) => moves.classList.add("turns"));
  await expect.poll(() => apart(customer, agent, "#moves"), "begins anew").toBeLessThan(NEAR);
});

test("keyframes that a script gives one of its own, and nothing else", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, `${STYLES}<div id="moves" class="box"></div>`, `
    window.made = moves.animate([{ left: "0px" }, { left: "80px" }], { duration: 8000 }); made.pause();`);
  const left = async () => (await agent.mirror.animations("#moves"))?.map((one) => one.left);
  await expect.poll(left).toEqual(["0px"]);
  await customer.page.evaluate("made.effect.setKeyframes([{ left: '11px' }, { left: '91px' }])");
  await expect.poll(left).toEqual(["11px"]);
  await customer.page.evaluate("made.effect.updateTiming({ delay: -4000 })");
  await expect.poll(left).toEqual(["51px"]);
});

/** A scroller, and in it what follows it. */
const SCROLLS = `<style>
  @keyframes fade { from { opacity: 0.1; left: 0 } to { opacity: 0.9; left: 100px } }
  #scroller { height: 200px; width: 300px; overflow: auto } #scroller > div { position: relative; height: 60px; background: #888 }
  #scroller > i { display: block; height: 300px }
  .follows { animation: fade linear both; animation-timeline: scroll() } .seen { animation: fade linear; animation-timeline: view() }
</style><div id="scroller"><i></i><div id="a"></div><div id="b"></div><div id="c"></div><div id="d"></div><i></i><i></i></div>`;

/** Scrolls the customer's scroller; what is in it looks the same on both sides then. */
async function scrollsAlike(customer: Customer, agent: Agent, tops = [250, 40, 330, 610]): Promise<void> {
  const looks = (all: Animated[] | null) =>
    all?.map(({ opacity, left, state }) => [Number(opacity).toFixed(2), Math.round(Number.parseFloat(left) || 0), state]);
  for (const top of tops) {
    await customer.page.locator("#scroller").evaluate((scroller, top) => (scroller.scrollTop = top), top);
    for (const id of ["a", "b", "c", "d"]) {
      const same = async () => {
        const both = [await agent.mirror.animations(`#${id}`), await there(customer, `#${id}`)];
        const [ours, theirs] = both.map((one) => JSON.stringify(looks(one)));
        return ours === theirs ? "the same" : `${ours} for ${theirs}`;
      };
      await expect.poll(same, `${id} at ${top}`).toBe("the same");
    }
  }
}

test("animations that style sheets let follow a scroller", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, SCROLLS, 'for (const id of "abcd") document.getElementById(id).className = id < "c" ? "follows" : "seen";');
  expect(await there(customer, "#a")).toHaveLength(1);
  await scrollsAlike(customer, agent);
});

/** What scripts let follow the scroller. */
const FOLLOWS = `
  const keyframes = { opacity: [0.1, 0.9], left: ["0px", "100px"] };
  const timeline = new ScrollTimeline({ source: scroller });
  window.all = [
    a.animate(keyframes, { timeline, fill: "both" }),
    b.animate(keyframes, { timeline, fill: "both", rangeStart: "20%", iterations: 2, direction: "alternate" }),
    c.animate(keyframes, { timeline: new ViewTimeline({ subject: c, inset: "10px 30px" }), fill: "both", rangeStart: "entry 50%", rangeEnd: "exit 20%" }),
    d.animate(keyframes, { timeline: new ViewTimeline({ subject: b, axis: "y" }), fill: "both" }),
  ];`;

test("animations that scripts let follow a scroller", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, SCROLLS, FOLLOWS);
  await scrollsAlike(customer, agent);
  // What a script stops stays where it is; for who comes later, too.
  await customer.page.evaluate("all.forEach((one) => one.pause())");
  await scrollsAlike(customer, agent, [300]);
  await agent.page.reload();
  await scrollsAlike(customer, agent, [330]);
  await customer.page.evaluate("all.forEach((one) => one.play())");
  await scrollsAlike(customer, agent, [250, 610]);
  await customer.page.evaluate("all.forEach((one) => one.cancel())");
  for (const id of ["a", "b", "c", "d"]) await expect.poll(() => agent.mirror.animations(`#${id}`)).toEqual([]);
});

/** A popover and a dialog that come and go slowly, by `@starting-style` and what is discrete. */
const SLOW = `<style>
  #pop, #box { opacity: 0; transition: opacity 6s linear, display 6s allow-discrete, overlay 6s allow-discrete !important }
  #pop:popover-open, #box[open] { opacity: 1 }
  #box::backdrop { opacity: 0; transition: opacity 6s linear, display 6s allow-discrete, overlay 6s allow-discrete !important }
  #box[open]::backdrop { opacity: 0.5 }
  @starting-style { #pop:popover-open, #box[open] { opacity: 0 } #box[open]::backdrop { opacity: 0 } }
</style><div id="pop" popover="manual">pop</div><dialog id="box">box</dialog>`;

for (const [what, id, show, hide] of [["popover", "#pop", "showPopover", "hidePopover"], ["dialog", "#box", "showModal", "close"]] as const) {
  test(`a ${what} that comes and goes slowly`, async ({ customer, agent, session }) => {
    await anyStyle(customer);
    await session("/help");
    await put(customer, agent, SLOW);
    const does = (name: string) => customer.page.locator(id).evaluate((element, name) => (element as unknown as Record<string, () => void>)[name]?.(), name);
    const ended = () => customer.page.locator(id).evaluate((element) => element.getAnimations({ subtree: true }).forEach((one) => one.finish()));
    const seen = async () => [(await agent.mirror.size(id))?.width ?? 0, (await agent.mirror.animations(id))?.length];
    await does(show);
    expect(await there(customer, id)).not.toEqual([]);
    await expect.poll(() => apart(customer, agent, id), "comes").toBeLessThan(NEAR);
    await ended();
    await expect.poll(() => agent.mirror.animations(id)).toEqual([]);
    const { width } = (await agent.mirror.size(id)) ?? { width: 0 };
    expect(width).toBeGreaterThan(0);
    // Who comes later sees it as it is.
    await agent.page.reload();
    await expect.poll(() => agent.mirror.text(id)).toBeTruthy();
    expect(await seen(), "is there").toEqual([width, 0]);
    await does(hide);
    expect(await there(customer, id)).not.toEqual([]);
    await expect.poll(() => apart(customer, agent, id), "goes").toBeLessThan(NEAR);
    expect((await seen())[0]).toBe(width);
    await ended();
    await expect.poll(seen, "is gone").toEqual([0, 0]);
  });
}

test("what has come to its end does not begin again for who joins later", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, `${STYLES}<style>.once { animation: go 9s linear }</style><div id="moves" class="box once"></div>`);
  await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
  // By itself, after a moment.
  await customer.page.evaluate(() => document.querySelector("#moves")?.getAnimations().forEach((one) => (one.currentTime = 8800)));
  await expect.poll(() => there(customer, "#moves")).toEqual([]);
  await expect.poll(() => agent.mirror.animations("#moves")).toEqual([]);
  // What comes after it is told after its end.
  await customer.page.evaluate(() => document.querySelector("#moves")?.animate({ opacity: [0, 1] }, 99_000));
  await expect.poll(() => agent.mirror.animations("#moves")).toHaveLength(1);
  await agent.page.reload();
  await expect.poll(() => agent.mirror.animations("#moves")).not.toBeNull();
  await expect.poll(() => agent.mirror.animations("#moves")).toHaveLength(1);
  expect((await agent.mirror.animations("#moves"))?.map((one) => one.name)).toEqual([""]);
  // Shown anew it begins anew, on both sides.
  await customer.page.locator("#moves").evaluate((moves) => {
    moves.classList.remove("once");
    moves.getBoundingClientRect();
    moves.classList.add("once");
  });
  await expect.poll(() => apart(customer, agent, "#moves")).toBeLessThan(NEAR);
});

test("a page that tells nonsense of animations is shown all the same", async ({ demo, customer, agent, session }) => {
  const resyncs = async () => /^tandem_session_agent_resyncs_total .*$/m.exec(await (await fetch(`${demo.console}/metrics`)).text())?.[0];
  const before = await resyncs();
  await anyStyle(customer);
  await session("/help");
  await put(customer, agent, `${STYLES}<p id="after"></p>`);
  const nonsense = [
    "--start:-Infinity", "--start:1;--rate:Infinity", "--at:-Infinity", "--start:NaN;--rate:x", "--over:x;--start:0", "transition-property:left;--over:1",
    "transition-property:left;--duration:-1;--start:1", "transition-property:x;--iterations:Infinity;--duration:Infinity;--start:-1e308",
    "--source:1;--axis:y;--at:1;--of:0", "--source:NaN;--axis:y;--at:NaN;--of:x", "--subject:2;--inset:x;--axis:y;--from:x;--to:9;--at:1e308;--of:1;--still:1",
    "--subject:99999999;--axis:z;--from:1;--to:9;--rate:Infinity", "--source:2;--axis:y;--from:entry;--to:no;--rate:x;--at:5;--of:9",
  ];
  await customer.page.evaluate((nonsense) => {
    for (const says of nonsense) {
      for (const which of ["animation-name:turn;--iterations:-1", "--iterations:-1", "--iterations:1;--duration:9000"]) {
        const element = document.createElement("div");
        element.className = "box turns";
        element.setAttribute("data-tandem-motion", `@keyframes a{0%{opacity:0}}a{${which};${says}}b{--now:Infinity}`);
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
  for (let at = 1; at <= 3 * nonsense.length; at++)
    expect((await agent.mirror.animations(`#added > .box:nth-of-type(${at})`))?.length, "nothing is made again and again").toBeLessThan(4);
});

alone("animations of style sheets that began before anybody looked, and for an agent who comes back", async ({ customer, agent }) => {
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

alone("animations that follow a scroller, in an agent's browser that knows of none", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await agent.page.evaluate(() => {
    const mirror = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]')?.contentWindow;
    Object.assign(mirror ?? {}, { ScrollTimeline: undefined, ViewTimeline: undefined });
  });
  await put(customer, agent, SCROLLS, FOLLOWS);
  const looks = (all: Animated[] | null) => all?.map(({ opacity }) => Number(opacity).toFixed(1));
  for (const top of [250, 330]) {
    await customer.page.locator("#scroller").evaluate((scroller, top) => (scroller.scrollTop = top), top);
    for (const id of ["a", "b", "c", "d"]) await expect.poll(async () => looks(await agent.mirror.animations(`#${id}`)), id).toEqual(looks(await there(customer, `#${id}`)));
  }
});

alone("what came slowly before the agent did is simply there", async ({ customer, agent }) => {
  await anyStyle(customer);
  await customer.logIn();
  await customer.open("/help");
  await customer.page.evaluate((html) => {
    document.body.insertAdjacentHTML("afterbegin", html);
    const [pop, box] = [document.querySelector<HTMLElement>("#pop"), document.querySelector<HTMLDialogElement>("#box")];
    pop?.showPopover();
    box?.show();
    for (const one of document.getAnimations()) one.finish();
  }, SLOW);
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  await expect.poll(() => agent.mirror.text("#pop")).toBe("pop");
  for (const what of ["#pop", "#box"]) expect(await agent.mirror.animations(what)).toEqual([]);
});

alone("nothing of how masked and hidden elements are animated is in any byte that the agent gets", async ({ customer, agent, session }) => {
  const received: string[] = [];
  agent.page.on("websocket", (socket) => socket.on("framereceived", (frame) => received.push(plain(frame.payload).toString("latin1"))));
  await anyStyle(customer);
  await session("/help");
  const all = ["open", "secret", "gray"];
  await put(customer, agent, `${STYLES}<style>.slides { --said: none; left: 0; transition: left 20s, --said 20s allow-discrete !important }</style>
    <div id="open" class="box turns slides"></div><div id="secret" data-tandem="mask" class="box turns slides"><b></b></div>
    <div id="gray" data-tandem="hide" class="box turns slides"></div>`);
  await customer.page.evaluate((all) => {
    for (const id of all) {
      const says = `CANARY-${id}`;
      const element = document.querySelector(`#${id}`) as HTMLElement;
      element.style.cssText = `left: 70px; --said: ${says}-transition`;
      for (const one of element.getAnimations({ subtree: true })) {
        const effect = one.effect as KeyframeEffect;
        const kind = "transitionProperty" in one ? "given-transition" : effect.pseudoElement ? "given-part" : "given";
        effect.setKeyframes([{ "--said": `${says}-${kind}` }, { left: "9px" }]);
        effect.updateTiming({ duration: 9000 });
      }
      (element.firstElementChild ?? element).animate({ "--said": [`${says}-made`, "x"] }, 9000);
    }
  }, all);
  const told = (what: string) => received.some((frame) => frame.includes(what));
  for (const kind of ["given", "given-part", "given-transition", "made"]) await expect.poll(() => told(`CANARY-open-${kind}`), kind).toBe(true);
  for (const what of ["CANARY-secret", "CANARY-gray"]) expect(told(what), what).toBe(false);
});
