/** Fields that are made of others: an object as a group of inputs, a list of objects as one such group each. */

import { ActionIcon, Button, Fieldset, Input as MantineInput, Stack } from "@mantine/core";
import { Plus, X } from "lucide-react";
import { useRef, useState } from "react";
import type { Field, Json, Schema } from "../api/model";
import { useSay } from "../i18n/words";
import { Input, plain, type InputProps, type PartFault } from "./Input";
import { spoken } from "./words";
import styles from "./Parts.module.css";

type Whole = { [name: string]: Json };

/** Whether a form of ours can draw what is in it: it names its parts. */
export function hasParts({ properties }: Schema): boolean {
  return properties !== undefined && Object.keys(properties).length > 0;
}

export function ObjectInput({ label, required, ...props }: InputProps) {
  return (
    <Fieldset legend={required ? `${label} *` : label}>
      <Parts {...props} />
    </Fieldset>
  );
}

export function ObjectsInput({ field, label, value, required, fault, faults = [], onChange }: InputProps) {
  const say = useSay();
  const schema = plain(field.schema);
  const one = { ...field, schema: plain(schema.items ?? {}) };
  const items = Array.isArray(value) ? value : [];
  // Items have no name of their own, and one that is taken out leaves the others what was typed there.
  const next = useRef(items.length);
  const [keys, setKeys] = useState(() => items.map((_, index) => index));
  const put = (told: Json[]) => onChange(told.length > 0 ? told : undefined);
  const add = () => {
    setKeys([...keys, next.current++]);
    put([...items, {}]);
  };
  const drop = (at: number) => {
    setKeys(keys.filter((_, index) => index !== at));
    put(items.filter((_, index) => index !== at));
  };
  const own = faults.length === 0 ? fault : faults.find(({ path }) => path === "")?.message;
  return (
    <Fieldset legend={required ? `${label} *` : label}>
      <Stack gap="sm">
        {items.map((item, index) => (
          <div key={keys[index] ?? index} role="group" aria-label={`${label} ${index + 1}`} className={styles.item}>
            <Parts field={one} value={item} faults={below(faults, String(index))} onChange={(told) => put(items.with(index, told ?? {}))} />
            <ActionIcon variant="subtle" color="gray" aria-label={say("form.dropItem", { label, place: index + 1 })} onClick={() => drop(index)}>
              <X size={16} aria-hidden />
            </ActionIcon>
          </div>
        ))}
        {own !== undefined && <MantineInput.Error>{own}</MantineInput.Error>}
        <Button variant="default" size="compact-sm" leftSection={<Plus size={14} aria-hidden />} className={styles.add} onClick={add}>
          {say("form.addItem")}
        </Button>
      </Stack>
    </Fieldset>
  );
}

function Parts({ field, value, fault, faults = [], onChange }: Pick<InputProps, "field" | "value" | "faults" | "onChange"> & { fault?: string | undefined }) {
  const schema = plain(field.schema);
  const given: Whole = typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  const put = (name: string, told: Json | undefined) => {
    // A switch that nobody touched says no.
    const begun = { ...unsaid(schema), ...given };
    const others = Object.entries(begun).filter(([known]) => known !== name);
    const whole = Object.fromEntries(told === undefined ? others : [...others, [name, told]]);
    onChange(Object.keys(whole).length > 0 ? whole : undefined);
  };
  const own = faults.length === 0 ? fault : faults.find(({ path }) => path === "")?.message;
  return (
    <div className={styles.parts}>
      {Object.entries(schema.properties ?? {}).map(([name, part]) => {
        const inner = below(faults, name);
        return (
          <div key={name} className={isWide(plain(part)) ? styles.wide : undefined}>
            <Input
              field={partOf(field, name, part)}
              label={field.parts?.[name]?.label ?? spoken(name)}
              value={given[name]}
              required={schema.required?.includes(name) ?? false}
              fault={inner[0]?.message}
              faults={inner}
              onChange={(told) => put(name, told)}
            />
          </div>
        );
      })}
      {own !== undefined && <MantineInput.Error className={styles.wide}>{own}</MantineInput.Error>}
    </div>
  );
}

/** Switches that must say something, before anybody did. */
function unsaid({ properties = {}, required = [] }: Schema): Whole {
  const switches = required.filter((name) => properties[name]?.type === "boolean");
  return Object.fromEntries(switches.map((name) => [name, false]));
}

/** A part as a field of its own. */
function partOf(field: Field, name: string, schema: Schema): Field {
  const below = Object.entries(field.parts ?? {}).flatMap(([path, part]) => (path.startsWith(`${name}.`) ? [[path.slice(name.length + 1), part] as const] : []));
  const choices = field.parts?.[name]?.choices;
  return {
    name: `${field.name}.${name}`,
    schema,
    index: null,
    is_window: false,
    read_only: false,
    required: false,
    reference: null,
    parts: Object.fromEntries(below),
    ...(choices && { choices }),
  };
}

function below(faults: PartFault[], name: string): PartFault[] {
  const inner = faults.filter(({ path }) => path === `/${name}` || path.startsWith(`/${name}/`));
  return inner.map(({ path, message }) => ({ path: path.slice(name.length + 1), message }));
}

function isWide({ maxLength = 0, type, items }: Schema): boolean {
  return maxLength > 150 || type === "object" || (type === "array" && !items?.enum);
}
