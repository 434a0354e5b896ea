/** No editor: an editable element, in which styles make one space of several. */
import { desk, knows } from "./desk.ts";

const element = document.createElement("div");
element.contentEditable = "true";
element.className = "editor";
element.style.whiteSpace = "normal";
desk().append(element);
knows(() => element.innerText.trim());
