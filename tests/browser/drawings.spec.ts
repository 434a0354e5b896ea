/** Drawings and films: the agent sees what they show now, as pictures that the customer's browser takes. */
import { type Agent, anyStyle, type Customer, expect, lasting as test } from "./rig.ts";

test.describe.configure({ mode: "default" });

/** Puts a canvas of 200 × 100 before everything else; `draw` runs with its context in the customer's page. */
function canvas(customer: Customer, id: string, attributes = ""): Promise<void> {
  return customer.page.evaluate(([id, attributes]) => {
    const host = document.createElement("div");
    host.innerHTML = `<canvas id="${id}" width="200" height="100" ${attributes}>fallback</canvas>`;
    document.querySelector("main")?.prepend(host);
  }, [id, attributes]);
}

/** How wide the picture is that was taken of a canvas, in its own pixels. */
function taken(agent: Agent, selector: string): Promise<number | undefined> {
  return agent.page.evaluate((selector) => {
    const mirror = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]')?.contentDocument;
    return mirror?.querySelector<HTMLImageElement>(`${selector} > img`)?.naturalWidth;
  }, selector);
}

test("what a canvas shows, and what is drawn on it later", async ({ customer, agent, session }) => {
  await session("/help");
  await canvas(customer, "chart");
  const fill = (style: string) => customer.page.evaluate((style) => {
    const context = document.querySelector<HTMLCanvasElement>("#chart")?.getContext("2d");
    if (!context) return;
    context.fillStyle = style;
    context.fillRect(0, 0, 200, 100);
  }, style);
  await fill("rgb(200, 30, 40)");
  await expect.poll(() => agent.mirror.colour("#chart")).toEqual([200, 30, 40]);
  expect(await agent.mirror.size("#chart")).toEqual({ width: 200, height: 100 });
  await fill("rgb(10, 140, 60)");
  await expect.poll(() => agent.mirror.colour("#chart")).toEqual([10, 140, 60]);
  await agent.page.reload();
  await expect.poll(() => agent.mirror.text("h1")).toBeTruthy();
  await expect.poll(() => agent.mirror.colour("#chart")).toEqual([10, 140, 60]);
});

test("a canvas that grows after it was drawn, as in a tab that opens", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await canvas(customer, "grows", 'style="width: 2px; height: 1px"');
  await customer.page.evaluate(() => document.querySelector<HTMLCanvasElement>("#grows")?.getContext("2d")?.fillRect(0, 0, 200, 100));
  await expect.poll(() => taken(agent, "#grows")).toBe(2);
  await customer.page.evaluate(() => document.querySelector("#grows")?.removeAttribute("style"));
  await expect.poll(() => taken(agent, "#grows")).toBe(200);
});

test("a canvas that grows before a busy browser says that it was seen small", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await customer.page.evaluate(() => {
    window.IntersectionObserver = class extends IntersectionObserver {
      constructor(seen: IntersectionObserverCallback, options?: IntersectionObserverInit) {
        super((entries, self) => {
          document.querySelector("#late")?.removeAttribute("style");
          requestAnimationFrame(() => requestAnimationFrame(() => seen(entries, self)));
        }, options);
      }
    };
  });
  await canvas(customer, "late", 'style="width: 0; height: 0"');
  await customer.page.evaluate(() => {
    document.querySelector<HTMLCanvasElement>("#late")?.getContext("2d")?.fillRect(0, 0, 200, 100);
  });
  await expect.poll(() => taken(agent, "#late")).toBe(200);
});

test("a canvas that WebGL draws in the page's frames", async ({ customer, agent, session }) => {
  await session("/help");
  await canvas(customer, "scene");
  const draws = await customer.page.evaluate(() => {
    const gl = document.querySelector<HTMLCanvasElement>("#scene")?.getContext("webgl");
    if (!gl) return false;
    let frames = 0;
    const draw = () => {
      gl.clearColor(0, 0, frames > 60 ? 1 : 0.2, 1);
      gl.clear(gl.COLOR_BUFFER_BIT);
      // Its last frame must be seen as well.
      if (++frames < 90) requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
    return true;
  });
  test.skip(!draws, "this browser has no WebGL");
  await expect.poll(() => agent.mirror.colour("#scene")).toEqual([0, 0, 255]);
});

test("a canvas that a worker draws", async ({ customer, agent, session }) => {
  const body = `onmessage = ({ data }) => {
    const context = data.getContext("2d");
    context.fillStyle = "rgb(90,20,160)";
    context.fillRect(0, 0, 200, 100);
  }`;
  await customer.page.route("**/painter.js", (route) => route.fulfill({ contentType: "text/javascript", body }));
  await session("/help");
  await canvas(customer, "far");
  await customer.page.evaluate(() => {
    const worker = new Worker("/painter.js");
    const far = document.querySelector<HTMLCanvasElement>("#far")?.transferControlToOffscreen();
    if (far) worker.postMessage(far, [far]);
  });
  await expect.poll(() => agent.mirror.colour("#far")).toEqual([90, 20, 160]);
});

test("a drawing that may not be read is a box that says so", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(() => {
    // As a browser answers where something of another origin was drawn.
    HTMLCanvasElement.prototype.toBlob = () => {
      throw new DOMException("tainted", "SecurityError");
    };
  });
  await canvas(customer, "tainted");
  await expect.poll(() => agent.mirror.html("#tainted")).toContain("placeholder drawing");
});

test("a masked drawing is neither read nor sent", async ({ customer, agent, session }) => {
  await session("/help");
  await canvas(customer, "signature", 'data-tandem="mask"');
  await canvas(customer, "open");
  const read = await customer.page.evaluate(() => {
    const seen: string[] = [];
    const { drawImage } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.drawImage = function (this: CanvasRenderingContext2D, ...args: unknown[]) {
      seen.push((args[0] as Element).id);
      return Reflect.apply(drawImage, this, args);
    };
    (window as { seen?: string[] }).seen = seen;
    for (const id of ["signature", "open"]) {
      const context = document.querySelector<HTMLCanvasElement>(`#${id}`)?.getContext("2d");
      if (!context) continue;
      context.fillStyle = "rgb(1, 2, 3)";
      context.fillRect(0, 0, 200, 100);
    }
    return seen;
  });
  expect(read).toEqual([]);
  await expect.poll(() => agent.mirror.colour("#open")).toEqual([1, 2, 3]);
  expect(await customer.page.evaluate(() => (window as { seen?: string[] }).seen)).not.toContain("signature");
  expect(await agent.mirror.html("#signature")).toContain("placeholder");
});

test("a video's frame", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(async () => {
    // A film made here: a stream of a canvas.
    const film = document.createElement("canvas");
    film.width = 160;
    film.height = 90;
    const context = film.getContext("2d");
    const paint = () => {
      if (!context) return;
      context.fillStyle = "rgb(220, 120, 0)";
      context.fillRect(0, 0, 160, 90);
    };
    paint();
    setInterval(paint, 50);
    const video = document.createElement("video");
    video.id = "film";
    video.muted = true;
    video.width = 160;
    video.height = 90;
    video.srcObject = film.captureStream(20);
    document.querySelector("main")?.prepend(video);
    await video.play();
  });
  const near = async () => (await agent.mirror.colour("#film")).map((value, at) => Math.abs(value - ([220, 120, 0][at] ?? 0)) < 12);
  await expect.poll(near).toEqual([true, true, true]);
  expect(await agent.mirror.size("#film")).toEqual({ width: 160, height: 90 });
});

test("the frame that a paused video was taken to", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  const ready = await customer.page.evaluate(async () => {
    // A film made here: a second of each colour, one after the other.
    const film = Object.assign(document.createElement("canvas"), { width: 160, height: 90 });
    const context = film.getContext("2d") as CanvasRenderingContext2D;
    const recorder = new MediaRecorder(film.captureStream(20), { mimeType: "video/webm;codecs=vp8" });
    const pieces: Blob[] = [];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    const done = new Promise((resolve) => {
      recorder.onstop = resolve;
    });
    const begun = performance.now();
    recorder.start();
    await new Promise<void>((resolve) => {
      const paint = (): void => {
        const second = performance.now() - begun > 1_000;
        context.fillStyle = second ? "rgb(0, 0, 220)" : "rgb(220, 0, 0)";
        context.fillRect(0, 0, 160, 90);
        if (performance.now() - begun < 2_000) requestAnimationFrame(paint);
        else resolve();
      };
      paint();
    });
    recorder.stop();
    await done;
    const video = Object.assign(document.createElement("video"), { id: "film", muted: true, width: 160, height: 90 });
    video.src = URL.createObjectURL(new Blob(pieces, { type: "video/webm" }));
    document.querySelector("main")?.prepend(video);
    await new Promise((resolve) => video.addEventListener("loadeddata", resolve, { once: true }));
    return video.readyState;
  });
  expect(ready).toBeGreaterThan(1);
  const seek = (to: number) =>
    customer.page.locator("#film").evaluate((film: HTMLVideoElement, to) => {
      film.currentTime = to;
    }, to);
  const red = async () => {
    const [r = 0, , b = 0] = await agent.mirror.colour("#film");
    return r - b;
  };
  await seek(0.3);
  await expect.poll(red).toBeGreaterThan(150);
  await seek(1.7);
  await expect.poll(red).toBeLessThan(-150);
  await seek(0.3);
  await expect.poll(red).toBeGreaterThan(150);
  expect(await customer.page.locator("#film").evaluate((film: HTMLVideoElement) => film.paused)).toBe(true);
});

test("where in its time a sound is, paused or playing", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await customer.page.evaluate(async () => {
    // Twenty seconds of silence: one channel, 8,000 samples of 8 bits a second.
    const samples = 20 * 8_000;
    const wave = new DataView(new ArrayBuffer(44 + samples));
    const word = (at: number, text: string) => [...text].forEach((c, n) => wave.setUint8(at + n, c.charCodeAt(0)));
    word(0, "RIFF");
    wave.setUint32(4, 36 + samples, true);
    word(8, "WAVEfmt ");
    wave.setUint32(16, 16, true);
    wave.setUint16(20, 1, true);
    wave.setUint16(22, 1, true);
    wave.setUint32(24, 8_000, true);
    wave.setUint32(28, 8_000, true);
    wave.setUint16(32, 1, true);
    wave.setUint16(34, 8, true);
    word(36, "data");
    wave.setUint32(40, samples, true);
    new Uint8Array(wave.buffer).fill(128, 44);
    const sound = Object.assign(new Audio(), { id: "sound", controls: true, muted: true });
    sound.src = URL.createObjectURL(new Blob([wave], { type: "audio/wav" }));
    document.querySelector("main")?.prepend(sound);
    await new Promise((resolve) => sound.addEventListener("loadeddata", resolve, { once: true }));
  });
  const there = () =>
    customer.page.locator("#sound").evaluate((sound: HTMLAudioElement) => sound.currentTime);
  const here = () =>
    agent.page.evaluate(() => {
      const frame = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]');
      const sound = frame?.contentDocument?.querySelector<HTMLAudioElement>("#sound");
      return sound && sound.duration > 0 ? { at: sound.currentTime, of: Math.round(sound.duration) } : null;
    });
  const seek = (to: number) =>
    customer.page.locator("#sound").evaluate((sound: HTMLAudioElement, to) => {
      sound.currentTime = to;
    }, to);
  for (const to of [12, 3]) {
    await seek(to);
    await expect.poll(here).toEqual({ at: to, of: 20 });
  }
  // Nothing is told of a sound without controls; with them it is where it is.
  await customer.page.locator("#sound").evaluate(async (sound: HTMLAudioElement) => {
    sound.controls = false;
    sound.currentTime = 4;
    await new Promise((resolve) => sound.addEventListener("seeked", resolve, { once: true }));
  });
  await expect.poll(() => agent.mirror.html("#sound")).not.toContain("controls");
  await customer.page.locator("#sound").evaluate((sound: HTMLAudioElement) => {
    sound.controls = true;
  });
  await expect.poll(here).toEqual({ at: 4, of: 20 });
  await customer.page.locator("#sound").evaluate((sound: HTMLAudioElement) => sound.play());
  await expect.poll(there).toBeGreaterThan(5);
  expect(Math.abs(((await here())?.at ?? 0) - (await there()))).toBeLessThan(1);
  // Who comes later sees it, too.
  await customer.page.locator("#sound").evaluate((sound: HTMLAudioElement) => sound.pause());
  const stopped = Math.round((await there()) * 10) / 10;
  await agent.page.reload();
  await expect.poll(async () => Math.round(((await here())?.at ?? 0) * 10) / 10).toBe(stopped);
});

test("a picture that a script made, whose address is gone by now", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await customer.page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    canvas.width = 30;
    canvas.height = 20;
    const image = new Image();
    image.id = "made";
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
    if (!blob) return;
    image.src = URL.createObjectURL(blob);
    await image.decode();
    URL.revokeObjectURL(image.src);
    document.querySelector("main")?.prepend(image);
  });
  await expect.poll(() => agent.mirror.naturalWidth("#made")).toBe(30);
});

test("a sound whose script keeps where it is to itself costs nothing else", async ({ customer, agent, session }) => {
  await session("/help");
  let lines = 0;
  customer.page.on("websocket", () => lines++);
  await customer.page.evaluate(() => {
    const sound = Object.assign(new Audio(), { id: "odd", controls: true });
    Object.defineProperty(sound, "currentTime", {
      get() {
        throw new Error("not told");
      },
    });
    document.querySelector("main")?.prepend(sound);
  });
  await expect.poll(() => agent.mirror.html("#odd")).toContain("controls");
  await customer.page.locator("#odd").evaluate((sound: HTMLAudioElement) => {
    sound.dispatchEvent(new Event("seeked"));
    sound.title = "changed";
  });
  await expect.poll(() => agent.mirror.html("#odd")).toContain("changed");
  expect(lines, "the page was told once").toBe(0);
});
