/** Slate with history. */
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { createEditor, Node } from "slate";
import { withHistory } from "slate-history";
import { Editable, Slate, withReact } from "slate-react";
import { desk, knows } from "./desk.ts";

const editor = withHistory(withReact(createEditor()));
const initialValue = [{ type: "paragraph", children: [{ text: "" }] }];
createRoot(desk()).render(
  createElement(Slate, { editor, initialValue } as never, createElement(Editable, { className: "editor" })),
);
knows(() => editor.children.map((node) => Node.string(node)).join("\n"));
