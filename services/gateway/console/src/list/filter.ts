/** Filters as conditions and as the expressions that the API takes. */

import type { Json, Process } from "../api/model";
import { OWN, type Own } from "../fields/words";

export type Operator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "empty" | "given";
export type Condition = { field: string; op: Operator; value: Json };
export type Kind = "text" | "number" | "time";

const OWN_KINDS: Record<Own, Kind> = {
  number: "text",
  state: "text",
  opened_at: "time",
  updated_at: "time",
  closed_at: "time",
  opened_by: "text",
};

const OPERATORS: Record<Kind, Operator[]> = {
  text: ["==", "!=", "in", "empty", "given"],
  number: ["==", "!=", "<", "<=", ">", ">=", "in", "empty", "given"],
  time: [">=", "<", "empty", "given"],
};

/** What lists can be filtered and sorted by, and of which kind it is. */
export function indexed(process: Process): Map<string, Kind> {
  const own = OWN.map((name): [string, Kind] => [name, OWN_KINDS[name]]);
  const others = process.fields.flatMap((field): [string, Kind][] => {
    const { index } = field;
    if (!index) return [];
    return field.is_window ? ["from", "to"].map((end) => [`${field.name}.${end}`, index]) : [[field.name, index]];
  });
  return new Map([...own, ...others]);
}

export const operators = (kind: Kind): Operator[] => OPERATORS[kind];

function literal(value: Json): string {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  return `'${String(value).replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

export function toExpression(conditions: Condition[]): string {
  const parts = conditions.map(({ field, op, value }) => {
    if (op === "empty") return `record.${field} == null`;
    if (op === "given") return `record.${field} != null`;
    return `record.${field} ${op} ${literal(value)}`;
  });
  return parts.join(" && ");
}

const VALUE = String.raw`'(?:[^'\\]|\\.)*'|-?\d+(?:\.\d+)?|true|false|null`;
const CONDITION = new RegExp(
  String.raw`^\s*record\.([a-z_][a-z0-9_]*(?:\.(?:from|to))?)\s*(==|!=|<=|>=|<|>|in)\s*(${VALUE}|\[\s*(?:${VALUE})(?:\s*,\s*(?:${VALUE}))*\s*\])\s*`,
);
const EACH_VALUE = new RegExp(VALUE, "g");

function valueOf(text: string): Json {
  if (text.startsWith("[")) return (text.match(EACH_VALUE) ?? []).map(valueOf);
  if (text.startsWith("'")) return text.slice(1, -1).replace(/\\(.)/g, "$1");
  return JSON.parse(text) as Json;
}

/** The conditions that an expression consists of; null where it says more than conditions can. */
export function toConditions(expression: string): Condition[] | null {
  const conditions: Condition[] = [];
  let rest = expression.trim();
  while (rest !== "") {
    const [whole, field, op, value] = CONDITION.exec(rest) ?? [];
    if (whole === undefined || field === undefined || op === undefined || value === undefined) return null;
    conditions.push(asCondition(field, op as Operator, valueOf(value)));
    rest = rest.slice(whole.length);
    if (rest === "") return conditions;
    if (!rest.startsWith("&&")) return null;
    rest = rest.slice(2);
    if (rest.trim() === "") return null;
  }
  return conditions;
}

function asCondition(field: string, op: Operator, value: Json): Condition {
  if (value === null && op === "==") return { field, op: "empty", value };
  if (value === null && op === "!=") return { field, op: "given", value };
  return { field, op, value };
}

/** Both must hold. */
export function both(one: string | undefined, other: string): string {
  return one ? `(${one}) && ${other}` : other;
}

export type Completion = { text: string; from: number };

/** What could stand at the end of what was written: fields after `record.`, states and choices in quotes. */
export function completions(written: string, process: Process): Completion[] {
  const [, field] = /record\.([a-z0-9_.]*)$/.exec(written) ?? [];
  if (field !== undefined) {
    const from = written.length - field.length;
    const names = [...indexed(process).keys()].filter((name) => name.startsWith(field) && name !== field);
    return names.map((text) => ({ text, from }));
  }
  const [, name, begun] = /record\.([a-z_][a-z0-9_]*)\s*(?:==|!=|in\s*\[(?:[^\]]*,)?)\s*'([^']*)$/.exec(written) ?? [];
  if (name !== undefined && begun !== undefined) {
    const from = written.length - begun.length;
    const values = valuesOf(name, process).filter((value) => value.startsWith(begun));
    return values.map((value) => ({ text: `${value}'`, from }));
  }
  if (/(^|[\s(!])r?e?c?o?r?d?$/.test(written)) {
    const from = written.length - (/[a-z]*$/.exec(written)?.[0].length ?? 0);
    return [{ text: "record.", from }];
  }
  return [];
}

/** The values that a text field can have, where they are known. */
export function valuesOf(name: string, process: Process): string[] {
  if (name === "state") return process.order;
  const field = process.fields.find((known) => known.name === name);
  return field?.choices?.map((choice) => String(choice.value)) ?? [];
}
