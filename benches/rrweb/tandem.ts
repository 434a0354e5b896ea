/** Our recorder as the page's own script would start it: every frame is handed out as bytes. */

import { Roots } from "../../injector/src/customer/dom.ts";
import { Notices } from "../../injector/src/customer/notices.ts";
import { Realms } from "../../injector/src/customer/realms.ts";
import { Recorder } from "../../injector/src/customer/recorder.ts";
import { Extras } from "../../injector/src/customer/sheet-hooks.ts";
import { Withholding } from "../../injector/src/customer/withhold.ts";
import { keep } from "../../injector/src/loader/kept.ts";
import { Sheets } from "../../injector/src/sheets/sheets.ts";

// As the loader does at the start of each page.
keep();

Object.assign(window, {
  startTandem(emit: (bytes: Uint8Array) => void) {
    const withholding = new Withholding(() => new Promise<never>(() => {}), () => {});
    withholding.set([], []);
    const outlet = {
      waiting: 0,
      typed() {},
      ask() {},
      foreign() {},
      frame: emit,
      load: () => new Promise<never>(() => {}),
      lost() {
        throw new Error("the recorder gave up");
      },
    };
    const extras = new Extras();
    extras.make = (known, extras) => new Sheets(known, extras);
    const page = {
      roots: new Roots(),
      realms: new Realms(),
      extras,
      notices: new Notices(),
      agentHas: () => false,
    };
    return new Recorder(1, page, withholding, outlet, {});
  },
});
