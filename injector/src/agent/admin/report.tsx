/**
 * What every page of the administrators does when there is nothing to show: says why.
 */

import type { ComponentChildren } from "preact";
import type { Polled } from "../polled.ts";
import { words } from "./words.ts";

type Props<T> = { of: Polled<T>; children: (value: T) => ComponentChildren };

export function Report<T>({ of, children }: Props<T>) {
  if (of.problem?.error === "not_allowed") return <p role="alert">{words.notAllowed}</p>;
  if (of.value === null) return <p class="quiet">{of.problem ? words.noAnswer : "…"}</p>;
  return (
    <>
      {of.problem && <p role="alert">{words.noAnswer}</p>}
      {children(of.value)}
    </>
  );
}
