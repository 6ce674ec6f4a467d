import { expect, test } from "vitest";
import { placeAt } from "./where";

const TEXT = `process: incident
fields:
  properties:
    title: { type: string, in }
states:
  new:
    assign: { to: as, by: [ag] }
    hold:
      to: on
      by: [agent]
  in_progress, on_hold:
    re
opens:
  - on: alert.opened.v1
    ke
`;

/** The place after the first time that some words stand there. */
const after = (words: string) => placeAt(TEXT, TEXT.indexOf(words) + words.length);

test("a place is told from what stands above and before it", () => {
  expect(after("process: inc")).toEqual({ path: ["process"], kind: "value", from: 9 });
  expect(after("{ type: string, in")).toMatchObject({ path: ["fields", "properties", "title"], kind: "key" });
  expect(after("{ to: as")).toMatchObject({ path: ["states", "new", "assign", "to"], kind: "value" });
  expect(after("by: [ag")).toMatchObject({ path: ["states", "new", "assign", "by", "[]"], kind: "value" });
  expect(after("      to: on")).toMatchObject({ path: ["states", "new", "hold", "to"], kind: "value" });
  expect(after("    re")).toMatchObject({ path: ["states", "in_progress, on_hold"], kind: "key" });
  expect(after("    ke")).toMatchObject({ path: ["opens", "[]"], kind: "key" });
});

test("a file that has only begun has its first key", () => {
  expect(placeAt("pro", 3)).toEqual({ path: [], kind: "key", from: 0 });
});
