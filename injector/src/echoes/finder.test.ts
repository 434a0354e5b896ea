/** What was typed is found however the page writes it, and exactly as the server finds it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Finder } from "./finder.ts";

const KEY = { one: 123456, two: 654321 };

function knowing(...values: string[]): Finder {
  const echoes = new Finder();
  echoes.set({ key: KEY, known: [], keep: [] });
  echoes.set({ key: KEY, known: values.flatMap((value) => echoes.pieces(value)), keep: [] });
  return echoes;
}

test("hashes are those of the server", () => {
  // The same example is in `src/policy/echo.rs`.
  assert.deepEqual(knowing().pieces("Hunter 2-é€"), [
    { length: 9, one: 50094066, two: 55702888, password: false },
  ]);
});

test("a value is found however it is written", () => {
  const echoes = knowing("4111 1111-22223333", "Ada Lovelace");
  for (const [text, wanted] of [
    ["card 4111111122223333!", "card ••••••••••••••••!"],
    ["4111 1111 2222 3333", "•••• •••• •••• ••••"],
    ["4111-1111-2222-3333", "•••••••••••••••••••"],
    ["dear ADA  LOVELACE,", "dear •••  ••••••••,"],
    ["/?name=Ada+Lovelace&x", "/?name=••••••••••••&x"],
    ["/?name=%41da%20Lovelace&x", "/?name=••••••••••••••••&x"],
    ["4111 1111 2222 333", "4111 1111 2222 333"],
    ["Ada", "Ada"],
    ["100% of it, 😀 too", "100% of it, 😀 too"],
  ] as const)
    assert.equal(echoes.hide(text), wanted);
});

test("what is being typed is hidden at once, and kept once it is settled", () => {
  const echoes = knowing();
  const field = {} as Element;
  for (const value of ["hun", "hunt", "hunte", "hunter"]) echoes.typing(field, value, false);
  assert.equal(echoes.hide("hunter hunte hunt"), "•••••• ••••• ••••");
  assert.equal(echoes.settle().length, 1);
  assert.equal(echoes.hide("hunter"), "••••••");
  assert.equal(echoes.hide("hunt"), "hunt", "half a word is no secret for ever");
  assert.deepEqual(echoes.settle(), []);
});

test("a password is known as a whole, and only a password", () => {
  const echoes = knowing("Ada Lovelace");
  assert.ok(!echoes.isPassword("Ada Lovelace"));
  const field = {} as Element;
  echoes.typing(field, "hunter2", true);
  assert.ok(echoes.isPassword("hunter2"), "while it is being typed");
  assert.equal(echoes.settle()[0]?.password, true);
  assert.ok(echoes.isPassword("hunter2") && !echoes.isPassword("hunter22") && !echoes.isPassword("hunter"));
  echoes.typing(field, "Ada Lovelace", true);
  assert.equal(echoes.settle().length, 1, "it is news that it is a password");
});

test("a key that was never told hides nothing and keeps nothing", () => {
  const echoes = new Finder();
  echoes.typing({} as Element, "hunter22", true);
  assert.deepEqual(echoes.settle(), []);
});
