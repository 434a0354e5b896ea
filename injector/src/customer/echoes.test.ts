/** Nothing that was typed is told while what finds it is on its way, and nothing of it is forgotten. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Finder, type MakeFinder } from "../echoes/finder.ts";
import type { Echo } from "../protocol/words.ts";
import { Echoes } from "./echoes.ts";

const KEY = { one: 123456, two: 654321 };

/** The values of a session, what comes of them, and the arrival of what finds them. */
function session(): { echoes: Echoes; fresh: Echo[]; arrive(): Promise<void> } {
  let come: (make: MakeFinder) => void = () => {};
  const coming = new Promise<MakeFinder>((resolve) => {
    come = resolve;
  });
  const fresh: Echo[] = [];
  const echoes = new Echoes(
    () => coming,
    (told) => fresh.push(...told),
  );
  echoes.set({ key: KEY, known: [], keep: ["title"] });
  const arrive = (): Promise<void> => {
    come(() => new Finder());
    return echoes.prepare();
  };
  return { echoes, fresh, arrive };
}

test("without a secret there is nothing to wait for", () => {
  const { echoes } = session();
  echoes.typing({} as Element, "abc", false);
  assert.ok(echoes.ready);
  assert.equal(echoes.hide("abc and more"), "abc and more");
  assert.ok(echoes.keeps("Title") && !echoes.keeps("alt"));
});

test("what was typed meanwhile is a secret at once, and known to all once it can be found", async () => {
  const { echoes, fresh, arrive } = session();
  const [name, word] = [{} as Element, {} as Element];
  echoes.typing(name, "Ada Lovelace", false);
  echoes.typing(word, "hunter22", true);
  assert.deepEqual(echoes.settle(name), []);
  echoes.typing(name, "", false);
  assert.ok(!echoes.ready);
  assert.equal(echoes.hide("Hello Ada"), "••••• •••", "everything may be one");
  await arrive();
  assert.ok(echoes.ready);
  assert.equal(echoes.hide("Hello Ada Lovelace, hunter22!"), "Hello ••• ••••••••, ••••••••!");
  assert.equal(fresh.length, 1, "what is complete");
  assert.ok(echoes.isPassword("hunter22"), "what is still being typed");
  assert.equal(echoes.settle()[0]?.password, true);
});

test("what the server knows is waited for too", async () => {
  const { echoes, arrive } = session();
  const finder = new Finder();
  finder.set({ key: KEY, known: [], keep: [] });
  echoes.set({ key: KEY, known: finder.pieces("checkout"), keep: [] });
  assert.ok(!echoes.ready);
  await arrive();
  assert.equal(
    echoes.hideInAddress("/checkout/pay?x=checkout#checkout"),
    "/checkout/pay?x=••••••••#••••••••",
  );
});
