/**
 * The customer's tabs: which there are, and which one is looked at. It follows the customer and changes nothing.
 */

import type { SessionModel } from "./session-model.ts";
import { words } from "./words.ts";

export function TabStrip({ model }: { model: SessionModel }) {
  if (model.tabs.value.length === 0) return null;
  return (
    <section aria-label={words.tabs.label}>
      <ol class="tabs" aria-label={words.tabs.label}>
        {model.tabs.value.map(({ id, title, shown, seen }) => {
          const name = title ?? words.tabs.unseen;
          const away = shown && !seen;
          return (
            <li
              key={id}
              class={`tab${shown ? " tab-shown" : ""}${away ? " tab-away" : ""}`}
              aria-current={shown ? "true" : undefined}
              title={away ? words.tabs.away : name}
            >
              {name || words.tabs.untitled}
              {away && <span class="quiet"> · {words.tabs.away}</span>}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
