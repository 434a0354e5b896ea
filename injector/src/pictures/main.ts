/**
 * The part of a session that takes pictures of drawings and films; loaded only where a page has some.
 */

import { hook } from "../customer/hooks.ts";
import type { MakeCamera } from "../customer/pictures.ts";
import type { PartScript } from "../loader/bridge.ts";
import { Darkroom } from "./darkroom.ts";

/** What draws: the interface, its methods, and whether what is drawn is gone once the frame is shown. */
const DRAWS: ReadonlyArray<[string, RegExp, boolean]> = [
  ["CanvasRenderingContext2D", /^(clear|fill|stroke|draw|put|reset)/, false],
  ["ImageBitmapRenderingContext", /^transfer/, false],
  ["WebGLRenderingContext", /^(draw|clear$)/, true],
  ["WebGL2RenderingContext", /^(draw|clear|blit)/, true],
  ["GPUCanvasContext", /^getCurrentTexture$/, true],
];

function run(script: PartScript<MakeCamera> | null): void {
  let camera: Darkroom | null = null;
  for (const [name, draws, fleeting] of DRAWS) {
    const prototype = (window as unknown as Record<string, { prototype: object } | undefined>)[name]
      ?.prototype;
    if (!prototype) continue;
    for (const method of Object.getOwnPropertyNames(prototype)) {
      if (!draws.test(method) || !isMethod(prototype, method)) continue;
      hook(prototype, method, {
        after: (self) => camera?.drawn((self as CanvasRenderingContext2D).canvas, fleeting),
      });
    }
  }
  for (const name of ["width", "height"]) {
    hook(HTMLCanvasElement.prototype, name, {
      after: (self) => camera?.drawn(self as HTMLCanvasElement, false),
    });
  }
  hook(HTMLCanvasElement.prototype, "transferControlToOffscreen", {
    after: (self) => camera?.elsewhere(self as HTMLCanvasElement),
  });
  script?.tandem?.provide((taken, pass) => {
    camera = new Darkroom(taken, pass);
    return camera;
  });
}

function isMethod(prototype: object, name: string): boolean {
  return typeof Object.getOwnPropertyDescriptor(prototype, name)?.value === "function";
}

run(document.currentScript as PartScript<MakeCamera> | null);
