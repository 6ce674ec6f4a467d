import { expect, test } from "vitest";
import type { Process } from "../api/model";
import { offersAt } from "./complete";
import type { FormatSchema } from "./format";

const schema: FormatSchema = {
  properties: {
    process: { type: "string" },
    states: { additionalProperties: { additionalProperties: { $ref: "#/$defs/transition" } } },
  },
  $defs: {
    transition: {
      properties: {
        to: { type: "string", description: "The state that it leads to.", "x-names": "states" },
        by: { $ref: "#/$defs/words", "x-names": "roles" },
      },
    },
    words: { anyOf: [{ type: "string" }, { items: { type: "string" } }] },
  },
};
const process = { order: ["new", "done"], labels: { roles: { agent: "Agent" } }, fields: [], states: {} } as unknown as Process;
const labels = (text: string) => offersAt(text, text.length, schema, process)?.offers.map(({ label }) => label);

test("keys come from the format, names from the file", () => {
  expect(labels("")).toEqual(["process", "states"]);
  expect(labels("states:\n  new:\n    close: { ")).toEqual(["to", "by"]);
  expect(labels("states:\n  new:\n    close: { to: d")).toEqual(["new", "done"]);
  expect(labels("states:\n  new:\n    close: { by: [")).toEqual(["agent", "system"]);
  expect(labels("process: inc")).toBeUndefined();
});
