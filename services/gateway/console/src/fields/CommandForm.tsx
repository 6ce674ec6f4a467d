/** A form for one command, drawn from the command's schema; every fault stands at its field. */

import { Button, Group, Stack, Text } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { Problem } from "../api/client";
import type { Data, Field, Json, Process, Schema } from "../api/model";
import { useSay } from "../i18n/words";
import { fieldOf, ProblemBox, within } from "../ui/ProblemBox";
import { Input } from "./Input";
import { labelOf } from "./words";
import styles from "./CommandForm.module.css";

type Props = {
  schema: Schema;
  process: Process;
  /** What the form begins with. */
  given?: Data;
  /** The fields to show, and their order; none shows all. */
  fields?: string[];
  submit: string;
  onSubmit: (data: Data) => Promise<void>;
  onCancel: () => void;
};

export function CommandForm({ schema, process, given = {}, fields, submit, onSubmit, onCancel }: Props) {
  const say = useSay();
  const [data, setData] = useState<Data>(given);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const shown = fieldsOf(schema, process, fields);
  const faults = error instanceof Problem ? error.faults : [];
  const faultsOf = (name: string) => faults.filter((fault) => fieldOf(fault.path) === name).map(({ path, message }) => ({ path: within(path), message }));
  const beside = shown.map((field) => field.name);
  const hasOnlyFieldFaults = faults.length > 0 && faults.every((fault) => beside.includes(fieldOf(fault.path)));

  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await onSubmit(data);
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };

  return (
    // What is missing is told by the server, all at once and in its words.
    <form onSubmit={(event) => void send(event)} noValidate>
      <Stack gap="md">
        {shown.length === 0 && <Text c="dimmed">{say("form.nothing")}</Text>}
        <div className={styles.fields}>
          {shown.map((field, index) => {
            const own = faultsOf(field.name);
            return (
              <div key={field.name} className={isWide(field) ? styles.wide : undefined}>
                <Input
                  field={{ ...field, schema: schema.properties?.[field.name] ?? field.schema }}
                  label={labelOf(field.name, process, say)}
                  value={data[field.name]}
                  required={schema.required?.includes(field.name) ?? false}
                  fault={own[0]?.message}
                  faults={own}
                  autoFocus={index === 0}
                  onChange={(value) => setData((before) => withField(before, field.name, value))}
                />
              </div>
            );
          })}
        </div>
        {hasOnlyFieldFaults ? (
          <Text role="alert" className={styles.faults}>
            {faults.length === 1 ? say("problem.fault") : say("problem.faults", { count: faults.length })}
          </Text>
        ) : (
          <ProblemBox error={error} beside={beside} />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            {say("common.back")}
          </Button>
          <Button type="submit" loading={isBusy}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function withField(data: Data, name: string, value: Json | undefined): Data {
  const others = Object.entries(data).filter(([known]) => known !== name);
  return Object.fromEntries(value === undefined ? others : [...others, [name, value]]);
}

/** The fields of a command in the order of the definition, what is needed first. */
function fieldsOf(schema: Schema, process: Process, wanted: string[] | undefined): Field[] {
  const names = wanted ?? Object.keys(schema.properties ?? {});
  const place = new Map(process.fields.map((field, index) => [field.name, index]));
  const isNeeded = (name: string) => schema.required?.includes(name) ?? false;
  return names
    .toSorted((one, other) => Number(isNeeded(other)) - Number(isNeeded(one)) || (place.get(one) ?? 0) - (place.get(other) ?? 0))
    .map((name) => process.fields.find((field) => field.name === name) ?? unknown(name, schema));
}

/** A command may ask for what is no field of the record. */
function unknown(name: string, schema: Schema): Field {
  const own = schema.properties?.[name] ?? {};
  return { name, schema: own, index: null, is_window: false, read_only: false, required: false, reference: null };
}

function isWide({ name, schema }: Field): boolean {
  const inner = schema.anyOf?.find((part) => part.type !== "null") ?? schema;
  return (inner.maxLength ?? 0) > 150 || inner.type === "object" || (inner.type === "array" && !inner.items?.enum) || name === "title";
}
