import { expect, test } from "vitest";
import type { Process } from "../api/model";
import { completions, toConditions, toExpression, type Condition } from "./filter";

const process = {
  fields: [
    { name: "priority", schema: {}, index: "number" },
    { name: "service", schema: {}, index: "text", choices: [{ value: "SVC-PAY", title: null }] },
    { name: "title", schema: {}, index: null },
  ],
  order: ["new", "on_hold"],
} as unknown as Process;

test("conditions are expressions, and back", () => {
  const conditions: Condition[] = [
    { field: "state", op: "in", value: ["new", "on_hold"] },
    { field: "priority", op: "<=", value: 2 },
    { field: "service", op: "==", value: "O'Neill \\ Sons" },
    { field: "assignee", op: "empty", value: null },
  ];
  const expression = toExpression(conditions);
  expect(expression).toBe(
    "record.state in ['new', 'on_hold'] && record.priority <= 2 && record.service == 'O\\'Neill \\\\ Sons' && record.assignee == null",
  );
  expect(toConditions(expression)).toEqual(conditions);
});

test("what conditions cannot show is left as it is", () => {
  for (const rich of ["record.a == 1 || record.b == 2", "!(record.a == 1)", "record.a == 1 &&", "record.a == now"]) {
    expect(toConditions(rich), rich).toBeNull();
  }
  expect(toConditions("  ")).toEqual([]);
});

test("what can be asked for is offered where it can stand", () => {
  const texts = (written: string) => completions(written, process).map(({ text }) => text);
  expect(texts("record.pri")).toEqual(["priority"]);
  expect(texts("record.")).not.toContain("title");
  expect(texts("record.state == '")).toEqual(["new'", "on_hold'"]);
  expect(texts("record.state in ['new', 'on")).toEqual(["on_hold'"]);
  expect(texts("record.service == 'S")).toEqual(["SVC-PAY'"]);
  expect(texts("record.priority <= 2")).toEqual([]);
});
