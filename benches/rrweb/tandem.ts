/** Our recorder as the page's own script would start it: every frame is handed out as bytes. */

import { Roots } from "../../injector/src/customer/dom.ts";
import { Realms } from "../../injector/src/customer/realms.ts";
import { Recorder } from "../../injector/src/customer/recorder.ts";
import { Withholding } from "../../injector/src/customer/withhold.ts";

Object.assign(window, {
  startTandem(emit: (bytes: Uint8Array) => void) {
    const withholding = new Withholding();
    withholding.set([], []);
    const outlet = {
      waiting: 0,
      typed() {},
      ask() {},
      frame: emit,
      camera: () => new Promise<never>(() => {}),
      lost() {
        throw new Error("the recorder gave up");
      },
    };
    return new Recorder(1, { roots: new Roots(), realms: new Realms() }, withholding, outlet);
  },
});
