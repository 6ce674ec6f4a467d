import { expect, test } from "vitest";
import type { ProcessSummary } from "../api/model";
import { relationLabel } from "./relations";

const of = (process: string, links: ProcessSummary["links"]): ProcessSummary => ({ process, collection: process, prefix: "X", title: process, version: 1, roles: [], clauses: [], window: null, links });
const change = of("change", [{ relation: "fixes", label: "Behebt", inverse: "fixed_by", inverse_label: "Behoben durch" }]);
const problem = of("problem", [{ relation: "fixed_by", label: "Gelöst durch", inverse: "fixes", inverse_label: "Löst" }]);

test("a link is called as its record's own process calls it, else as whoever knows it", () => {
  expect(relationLabel("fixed_by", problem, [change, problem])).toBe("Gelöst durch");
  expect(relationLabel("fixed_by", undefined, [change, problem])).toBe("Behoben durch");
  expect(relationLabel("held_in", change, [change])).toBe("Held in");
});
