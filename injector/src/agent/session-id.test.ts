/** Session IDs as people type them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { groupWhileTyping, parseSessionId } from "./session-id.ts";

test("any case, with or without separators", () => {
  for (const text of ["7KQ-M9X-D4R", "7kqm9xd4r", " 7kq m9x.D4R ", "7kq–m9x–d4r", "7KQ_M9X_D4R"]) {
    assert.equal(parseSessionId(text), "7KQ-M9X-D4R", text);
  }
});

test("what can be no ID is refused", () => {
  const wrong = ["", "7KQ-M9X-D4", "7KQ-M9X-D4R2", "7KQ/M9X/D4R", "ÄKQ-M9X-D4R"];
  for (const confusing of "01OILUoil") wrong.push(`${confusing}KQ-M9X-D4R`);
  for (const text of wrong) assert.equal(parseSessionId(text), null, text);
});

test("what is typed is shown in groups and nothing is lost", () => {
  assert.equal(groupWhileTyping("7k"), "7K");
  assert.equal(groupWhileTyping("7kqm"), "7KQ-M");
  assert.equal(groupWhileTyping("7KQ-m9x d4r9"), "7KQ-M9X-D4R-9");
  assert.equal(groupWhileTyping("7KQ-"), "7KQ");
});
