/** The same form, which Svelte controls. */
import { mount } from "svelte";
import Form from "./form.svelte";
import { desk, knows } from "./desk.ts";

let state = "";
mount(Form, {
  target: desk(),
  props: {
    told: (text: string) => {
      state = text;
    },
  },
});
knows(() => state);
