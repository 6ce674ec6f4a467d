/** Names for people out of names for programs. */

import type { Choice, Field, Json, Process, RecordView } from "../api/model";
import type { Say } from "../i18n/words";

/** `configuration_item` is `Configuration item`. */
export function spoken(name: string): string {
  const words = name.replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What every record has beside its data. */
export const OWN = ["number", "state", "opened_at", "updated_at", "closed_at", "opened_by"] as const;
export type Own = (typeof OWN)[number];

/** What a record keeps by itself for its rules, beside what people fill in; votes and tasks have cards of their own. */
export const LEDGER = ["votes", "tasks", "acted", "next_duty"];

export const isOwn = (name: string): name is Own => (OWN as readonly string[]).includes(name);

export function labelOf(name: string, process: Process | undefined, say: Say): string {
  if (isOwn(name)) return say(`field.${name}`);
  const [window = name, end] = name.split(".");
  if (end === "from" || end === "to") return `${labelOf(window, process, say)}: ${say(`form.${end}`)}`;
  return process?.labels.fields[name] ?? spoken(name);
}

export function stateLabel(state: string, process: Process | undefined): string {
  return process?.labels.states[state] ?? spoken(state);
}

/** What a value is called where it is one of a list; none where nothing is said of it. */
export function choiceLabel(value: Json, choices: Choice[] | undefined): string | undefined {
  const text = String(value);
  return choices?.find((choice) => String(choice.value) === text)?.title ?? undefined;
}

/** Fields that say in a line what a record is about, the best first. */
const HEADLINES = ["title", "name", "summary", "subject", "of_number"];

export function headlineField(process: Process | undefined): string | undefined {
  return HEADLINES.find((name) => process?.fields.some((field) => field.name === name));
}

export function headline(record: RecordView): string {
  for (const name of HEADLINES) {
    const said = record.data[name];
    if (typeof said === "string" && said !== "") return said;
  }
  return record.number;
}

/** Fields that most people look at first, where a process has them; the order is of looks alone. */
const FIRST_LOOKED_AT = [
  "priority", "service", "group", "assignee", "target", "due_at", "person", "customer", "owner", "email", "roles", "scopes",
];
const COLUMNS = 8;

/** The columns of a list that nobody has chosen columns for. */
export function usualColumns(process: Process): string[] {
  const looked = (field: Field) => {
    const place = FIRST_LOOKED_AT.indexOf(field.name);
    return place < 0 ? FIRST_LOOKED_AT.length : place;
  };
  const headline = headlineField(process);
  const others = process.fields
    .filter((field) => field.name !== headline && (field.index !== null || looked(field) < FIRST_LOOKED_AT.length))
    .toSorted((one, other) => looked(one) - looked(other))
    .map((field) => field.name);
  const columns = ["number", ...(headline ? [headline] : []), "state", ...others];
  return [...columns.slice(0, COLUMNS - 1), "updated_at"];
}
