/** The same form, which Vue controls. */
import { createApp, h, ref } from "vue";
import { desk, knows } from "./desk.ts";

const [name, digits, notes] = [ref(""), ref(""), ref("")];
const target = (event: Event) => event.target as HTMLInputElement;
createApp({
  render: () =>
    h("form", [
      h("input", {
        id: "name",
        value: name.value,
        onInput: (event: Event) => {
          name.value = target(event).value.toUpperCase();
        },
      }),
      h("input", {
        id: "digits",
        value: digits.value,
        onInput: (event: Event) => {
          digits.value = target(event).value.replace(/\D/g, "");
          target(event).value = digits.value;
        },
      }),
      h("textarea", {
        id: "notes",
        value: notes.value,
        onInput: (event: Event) => {
          notes.value = target(event).value;
        },
      }),
    ]),
}).mount(desk());
knows(() => [name.value, digits.value, notes.value].join("|"));
