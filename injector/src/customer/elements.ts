/**
 * Makes our own elements, and buttons that only a real gesture can press.
 */

/** An element with a class, text and attributes. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  className = "",
  text = "",
  attributes: Readonly<Record<string, string>> = {},
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** A button, with a label where it shows no text. What scripts dispatch (the site's, or an agent's action) does not press it. */
export function button(text: string, className: string, pressed: () => void, label = ""): HTMLButtonElement {
  const element = make("button", className, text, { type: "button", ...(label && { "aria-label": label }) });
  if (label) element.title = label;
  element.addEventListener("click", (event) => {
    if (event.isTrusted) pressed();
  });
  return element;
}
