/** A field to fill, drawn from its JSON Schema. */

import { Autocomplete, Fieldset, Group, Input as MantineInput, JsonInput, MultiSelect, NumberInput, Select, Switch, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Field, Json, Schema } from "../api/model";
import { processes, some } from "../api/queries";
import { useSay } from "../i18n/words";
import { toLocalInput } from "../ui/time";
import { hasParts, ObjectInput, ObjectsInput } from "./Parts";
import { choiceLabel, headline, spoken } from "./words";

/** Texts that may be longer are written in a box of several lines. */
const ONE_LINE = 250;
const CHOICES = 20;

export type InputProps = {
  field: Field;
  label: string;
  value: Json | undefined;
  required: boolean;
  fault: string | undefined;
  /** What is at fault in it, by where: nothing for itself, `/0/measure` for a part of its first item. */
  faults?: PartFault[];
  onChange: (value: Json | undefined) => void;
  autoFocus?: boolean;
  /** In a cell of a table: the name is said and not shown, choices are open, and a fault is spoken as it comes. */
  isBare?: boolean;
};

export type PartFault = { path: string; message: string };

/** What stands around a field, whatever kind it is. */
function around({ field, label, required, fault, autoFocus = false, isBare = false }: InputProps) {
  const error = fault ?? null;
  return {
    ...(isBare ? { "aria-label": label, size: "xs" as const } : { label }),
    name: field.name,
    required,
    error: isBare && error !== null ? <span role="alert">{error}</span> : error,
    autoFocus,
  };
}

/** The schema of what is there, where null stands for nothing. */
export function plain(schema: Schema): Schema {
  return schema.anyOf?.find((part) => part.type !== "null") ?? schema;
}

export function Input(props: InputProps) {
  const { field, value, required, onChange, isBare = false } = props;
  const say = useSay();
  const schema = plain(field.schema);
  const common = around(props);
  const text = typeof value === "string" ? value : "";
  const told = (said: string | null) => onChange(said === null || said === "" ? undefined : said);

  const called = (one: Json) => ({ value: String(one), label: choiceLabel(one, field.choices) ?? spoken(String(one)) });

  if (schema.enum) {
    const data = schema.enum.map(called);
    const original = (said: string) => schema.enum?.find((one) => String(one) === said) ?? said;
    const chosen = value === undefined || value === null ? null : String(value);
    return <Select {...common} defaultDropdownOpened={isBare} data={data} value={chosen} clearable={!required} placeholder={say("form.choose")} onChange={(said) => onChange(said === null ? undefined : original(said))} />;
  }
  if (schema.type === "boolean") {
    return <Switch {...common} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
  }
  if (schema.type === "integer" || schema.type === "number") {
    const bounds = { ...(schema.minimum !== undefined && { min: schema.minimum }), ...(schema.maximum !== undefined && { max: schema.maximum }) };
    return <NumberInput {...common} {...bounds} allowDecimal={schema.type === "number"} clampBehavior="none" value={typeof value === "number" ? value : ""} onChange={(said) => onChange(said === "" ? undefined : Number(said))} />;
  }
  if (schema.type === "array" && schema.items?.enum) {
    const data = schema.items.enum.map(called);
    return <MultiSelect {...common} data={data} value={Array.isArray(value) ? value.map(String) : []} onChange={(said) => onChange(said.length > 0 ? said : undefined)} />;
  }
  if (schema.type === "array" && (schema.items?.type === "string" || !schema.items)) {
    const data = field.choices?.map((choice) => String(choice.value)) ?? [];
    return <TagsInput {...common} data={data} value={Array.isArray(value) ? value.map(String) : []} onChange={(said) => onChange(said.length > 0 ? said : undefined)} />;
  }
  if (isWindow(schema)) return <Window {...props} />;
  if (schema.type === "object" && hasParts(schema)) return <ObjectInput {...props} />;
  if (schema.type === "array" && hasParts(plain(schema.items ?? {}))) return <ObjectsInput {...props} />;
  if (schema.type === "array" || schema.type === "object") return <Whole {...props} />;
  if (schema.format === "date-time") {
    return <TextInput {...common} type="datetime-local" value={text === "" ? "" : toLocalInput(text)} onChange={(event) => told(event.currentTarget.value === "" ? "" : new Date(event.currentTarget.value).toISOString())} />;
  }
  if (schema.format === "date") {
    return <TextInput {...common} type="date" value={text} onChange={(event) => told(event.currentTarget.value)} />;
  }
  if (field.choices) {
    return <Autocomplete {...common} openOnFocus={false} data={field.choices.map((choice) => String(choice.value))} value={text} onChange={told} renderOption={({ option }) => <Choice field={field} value={option.value} />} />;
  }
  if (field.reference) return <RecordInput {...props} process={field.reference} />;
  if ((schema.maxLength ?? 0) > ONE_LINE) {
    return <Textarea {...common} autosize minRows={3} maxRows={12} value={text} onChange={(event) => told(event.currentTarget.value)} />;
  }
  return <TextInput {...common} value={text} onChange={(event) => told(event.currentTarget.value)} />;
}

/** A span of time, as definitions call `steward:window`. */
function isWindow({ properties }: Schema): boolean {
  return properties?.from?.format === "date-time" && properties.to?.format === "date-time";
}

function Window({ field, label, value, required, fault, onChange }: InputProps) {
  const say = useSay();
  const given = typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  const end = (name: "from" | "to") => {
    const at = given[name];
    return (
      <TextInput
        type="datetime-local"
        label={say(`form.${name}`)}
        name={`${field.name}.${name}`}
        required={required}
        value={typeof at === "string" ? toLocalInput(at) : ""}
        onChange={(event) => {
          const typed = event.currentTarget.value;
          const others = Object.fromEntries(Object.entries(given).filter(([known]) => known !== name));
          const next = typed === "" ? others : { ...others, [name]: new Date(typed).toISOString() };
          onChange(Object.keys(next).length === 0 ? undefined : next);
        }}
      />
    );
  };
  return (
    <Fieldset legend={label}>
      <Group grow align="flex-start">
        {end("from")}
        {end("to")}
      </Group>
      {fault !== undefined && <MantineInput.Error>{fault}</MantineInput.Error>}
    </Fieldset>
  );
}

function Choice({ field, value }: { field: Field; value: string }) {
  const title = choiceLabel(value, field.choices);
  return <>{title ? `${title} (${value})` : value}</>;
}

/** Another record, found by its words; who knows its number may type it. */
function RecordInput({ process, ...props }: InputProps & { process: string }) {
  const { value, onChange } = props;
  const [typed, setTyped] = useState<string | null>(null);
  const [words] = useDebouncedValue((typed ?? "").toLowerCase(), 150);
  const known = useQuery(processes);
  const owner = known.data?.find((one) => one.process === process);
  const active = useQuery({ ...some(owner?.collection ?? "", { sort: "number" }, 200), enabled: owner !== undefined });
  // Whoever acts is named with the kind: `person:PER0000001`.
  const named = (number: string) => (process === "person" ? `person:${number}` : number);
  const all = (active.data?.items ?? []).map((one) => ({ value: named(one.number), label: `${headline(one)} (${one.number})` }));
  const data = all.filter((one) => one.label.toLowerCase().includes(words)).slice(0, CHOICES);
  const shown = typed ?? all.find((one) => one.value === value)?.label ?? (typeof value === "string" ? value : "");
  return (
    <Autocomplete
      {...around(props)}
      openOnFocus={false}
      data={data.map((one) => one.label)}
      filter={({ options }) => options}
      value={shown}
      onChange={(said) => {
        setTyped(said);
        const found = all.find((one) => one.label === said || one.value === said);
        onChange(found?.value ?? (said === "" ? undefined : said));
      }}
    />
  );
}

/** What no form of ours can draw is written as JSON. */
function Whole({ field, label, value, required, fault, onChange }: InputProps) {
  const say = useSay();
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const [isBroken, setBroken] = useState(false);
  return (
    <JsonInput
      label={label}
      name={field.name}
      required={required}
      autosize
      minRows={3}
      maxRows={16}
      description={say("form.json")}
      error={isBroken ? say("form.notJson") : (fault ?? null)}
      value={text}
      onChange={(said) => {
        setText(said);
        try {
          onChange(said.trim() === "" ? undefined : (JSON.parse(said) as Json));
          setBroken(false);
        } catch {
          setBroken(true);
        }
      }}
    />
  );
}
