/**
 * Watches calls of the page's own functions: after a call, or instead of it.
 *
 * A hook never changes what the page sees: result, error, name and length of the function stay; our own errors stay with us.
 */

import { guarded } from "./guarded.ts";

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** What a hook does. */
export interface Hook {
  /** Whether the call may happen at all. */
  before?: (self: unknown, args: readonly unknown[]) => boolean;
  /** Told of a call that did not throw. */
  after?: (self: unknown, result: unknown, args: readonly unknown[]) => void;
  /** Makes the call, with something before and after it. */
  around?: (call: () => unknown, args: readonly unknown[], self: unknown) => unknown;
  /** Told that a property was read, and what it was. */
  read?: (self: unknown, value: unknown) => void;
}

/** Hooks a method or property of a prototype. Does nothing where the browser does not have it. */
export function hook(owner: object, name: string, { before, after, around, read }: Hook): void {
  const property = Object.getOwnPropertyDescriptor(owner, name);
  if (!property?.configurable) return;
  const wrap = (target: Method): Method =>
    new Proxy(target, {
      apply(original, self: unknown, args: unknown[]) {
        let may = true;
        if (before) {
          guarded(() => {
            may = before(self, args);
          });
        }
        if (!may) return undefined;
        const call = (): unknown => Reflect.apply(original, self, args);
        const result = around ? around(call, args, self) : call();
        if (after) guarded(() => after(self, result, args));
        return result;
      },
    });
  if (read && property.get) {
    property.get = new Proxy(property.get, {
      apply(original, self: unknown, args: unknown[]) {
        const value: unknown = Reflect.apply(original, self, args);
        guarded(() => read(self, value));
        return value;
      },
    });
  }
  if (typeof property.value === "function") property.value = wrap(property.value as Method);
  else if (property.set) property.set = wrap(property.set as Method) as (value: unknown) => void;
  Object.defineProperty(owner, name, property);
}
