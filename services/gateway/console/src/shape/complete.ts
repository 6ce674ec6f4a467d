/** What could be written next in a definition: keys and words of the format, and names of the file's own. */

import type { Process } from "../api/model";
import { schemasAt, type FormatSchema } from "./format";
import { placeAt } from "./where";

export type Offer = { label: string; detail?: string; apply?: string };
export type Offers = { from: number; offers: Offer[] };

export function offersAt(text: string, offset: number, schema: FormatSchema, process: Process | null): Offers | null {
  const { path, kind, from } = placeAt(text, offset);
  const here = schemasAt(path, schema);
  const offers = kind === "key" ? keys(here) : words(here, process);
  return offers.length === 0 ? null : { from, offers };
}

function keys(schemas: FormatSchema[]): Offer[] {
  const all = schemas.flatMap((schema) => Object.entries(schema.properties ?? {}));
  const unique = new Map(all);
  return [...unique].map(([label, { description }]) => ({
    label,
    apply: `${label}: `,
    ...(description !== undefined && { detail: description }),
  }));
}

function words(schemas: FormatSchema[], process: Process | null): Offer[] {
  const fixed = schemas.flatMap((schema) => [
    ...(schema.enum ?? []).map(String),
    ...(schema.const === undefined ? [] : [String(schema.const)]),
    ...(schema.type === "boolean" ? ["true", "false"] : []),
  ]);
  const named = schemas.flatMap((schema) => (process && schema["x-names"] ? names(schema["x-names"], process) : []));
  return [...new Set([...named, ...fixed])].map((label) => ({ label }));
}

function names(kind: NonNullable<FormatSchema["x-names"]>, process: Process): string[] {
  switch (kind) {
    case "states":
      return process.order;
    case "roles":
      return [...Object.keys(process.labels.roles), "system"];
    case "fields":
      return process.fields.map(({ name }) => name);
    case "transitions":
      return [...new Set(Object.values(process.states).flatMap((transitions) => transitions.map(({ name }) => name)))];
  }
}
