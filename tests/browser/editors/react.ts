/** A form that React controls: upper case only in one field, digits only in another. */
import { createElement, useState } from "react";
import { createRoot } from "react-dom/client";
import { desk, knows } from "./desk.ts";

let state = "";
function Form() {
  const [name, setName] = useState("");
  const [digits, setDigits] = useState("");
  const [notes, setNotes] = useState("");
  state = [name, digits, notes].join("|");
  return createElement(
    "form",
    null,
    createElement("input", { id: "name", value: name, onChange: (event) => setName(event.target.value.toUpperCase()) }),
    createElement("input", {
      id: "digits",
      value: digits,
      onChange: (event) => setDigits(event.target.value.replace(/\D/g, "")),
    }),
    createElement("textarea", { id: "notes", value: notes, onChange: (event) => setNotes(event.target.value) }),
  );
}
createRoot(desk()).render(createElement(Form));
knows(() => state);
