/** Forms for what the API asks beside a process's own fields: the same form, with fields of ours. */

import type { Field, Process, Schema } from "../api/model";

export type Asked = { name: string; label: string; schema: Schema; reference?: string };

/** The process as if it had these fields, called so. */
export function asking(process: Process, asked: Asked[]): Process {
  const fields = asked.map(({ name, schema, reference }): Field => ({ name, schema, index: null, is_window: false, read_only: false, required: false, reference: reference ?? null }));
  const labels = Object.fromEntries(asked.map(({ name, label }) => [name, label]));
  return { ...process, fields, labels: { ...process.labels, fields: labels } };
}

/** The schema of a command with all of them. */
export function schemaOf(asked: Asked[], required: string[]): Schema {
  return { type: "object", properties: Object.fromEntries(asked.map(({ name, schema }) => [name, schema])), required };
}
