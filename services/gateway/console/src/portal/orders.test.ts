import { expect, test } from "vitest";
import type { Service } from "../api/model";
import { answered, questions } from "./orders";

const services: Service[] = [
  { number: "SVC0000001", status: "live", title: "Mail", code: "mail", request_items: [{ name: "Mailbox", form: { address: "text" } }, { name: "List", form: { properties: { members: { type: "integer" } } } }] },
];

test("an item's form is asked for, whether it is a schema or names alone", () => {
  expect(questions(services, "mail", "Mailbox")).toEqual([{ name: "form.address", label: "Address", schema: { type: "string" } }]);
  expect(questions(services, "mail", "List")).toEqual([{ name: "form.members", label: "Members", schema: { type: "integer" } }]);
  expect(questions(services, "mail", "Phone")).toEqual([]);
});

test("its answers stand together in the record", () => {
  expect(answered({ title: "A", "form.address": "b" })).toEqual({ title: "A", form: { address: "b" } });
  expect(answered({ title: "A" })).toEqual({ title: "A" });
});
