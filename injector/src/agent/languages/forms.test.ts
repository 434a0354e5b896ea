/** Numbers and spans of time as languages say them. */

import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { forms, spans } from "./forms.ts";

test("a form says the number where its language does", () => {
  const files = forms("ar", { one: "ملف واحد", two: "ملفان", few: "# ملفات", other: "# ملف" });
  deepEqual([1, 2].map(files), ["ملف واحد", "ملفان"]);
  deepEqual(files(100).endsWith(" ملف"), true);
  deepEqual([1, 2000].map(forms("de", { one: "# Datei", other: "# Dateien" })), ["1 Datei", "2.000 Dateien"]);
});

test("a span is said in its largest unit", () => {
  deepEqual([1, 89, 90, 5400, 260_000].map(spans("en")), [
    "1 second",
    "89 seconds",
    "2 minutes",
    "2 hours",
    "3 days",
  ]);
  deepEqual(spans("fr")(120), "2 minutes");
});
