import assert from "node:assert/strict";
import { test } from "node:test";
import { fill, plural, type Table } from "../customer/words.ts";
import { remaining } from "../wire/remaining.ts";
import ar from "./customer/ar.json";
import de from "./customer/de.json";
import en from "./customer/en.json";
import es from "./customer/es.json";
import fr from "./customer/fr.json";

/** A key that is missing in one of them does not compile. */
const CUSTOMER: Readonly<Record<string, Table>> = { ar, de, en, es, fr };

function* plurals(table: object): Generator<Record<string, string>> {
  for (const value of Object.values(table)) {
    if (typeof value !== "object") continue;
    if ("one" in value && "other" in value) yield value as Record<string, string>;
    else yield* plurals(value as object);
  }
}

test("each language has all the plural forms that it needs, and no other", () => {
  for (const [language, table] of Object.entries(CUSTOMER)) {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const forms of plurals(table)) {
      assert.deepEqual(Object.keys(forms).sort(), [...needed].sort(), language);
    }
  }
});

test("a text is filled in, in the form that goes with the number", () => {
  const say = (language: string, count: number) =>
    fill(plural(CUSTOMER[language]?.people ?? {}, count, language), { count, names: "A" });
  assert.equal(say("en", 1), "1 person sees this page: A.");
  assert.equal(say("de", 2), "2 Personen sehen diese Seite: A.");
  assert.equal(say("ar", 2), "يرى هذه الصفحة شخصان: A.");
  assert.equal(say("ar", 5), "يرى هذه الصفحة 5 أشخاص: A.");
  // What nobody fills in stays to be seen, and a name can not be a place.
  assert.equal(fill("{a} {b}", { a: "{b}" }), "{b} {b}");
});

test("the time that is left has the digits of the language", () => {
  assert.equal(remaining(245_000, "en"), "4:05");
  assert.equal(remaining(-1, "fr"), "0:00");
  assert.equal(remaining(65_000, "ar-EG"), "١:٠٥");
});
