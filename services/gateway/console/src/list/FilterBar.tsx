/** The filter, as conditions to click together or as the expression itself. */

import { Button, Checkbox, NumberInput, Popover, Select, Stack, TagsInput, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Braces, ListFilter, Plus, X } from "lucide-react";
import { useState } from "react";
import { Problem } from "../api/client";
import type { Json, Process } from "../api/model";
import { some } from "../api/queries";
import { choiceLabel, labelOf, stateLabel } from "../fields/words";
import { useSay, type Say } from "../i18n/words";
import { GuardedButton } from "../ui/GuardedButton";
import { fieldOf } from "../ui/ProblemBox";
import { toLocalInput } from "../ui/time";
import { ExpressionField } from "./ExpressionField";
import { indexed, operators, toConditions, toExpression, valuesOf, type Condition, type Kind, type Operator } from "./filter";
import styles from "./FilterBar.module.css";

/** So many values are all shown at once. */
const FEW = 15;

type Props = { process: Process; filter: string | undefined; onChange: (filter: string | undefined) => void };

export function FilterBar({ process, filter, onChange }: Props) {
  const say = useSay();
  const [wantsExpression, expression] = useDisclosure(false);
  const conditions = toConditions(filter ?? "");
  const isExpression = wantsExpression || conditions === null;
  // The list itself is asked; what the API says of the filter stands here.
  const asked = useQuery({ ...some(process.collection, { filter: filter ?? "" }, 1), enabled: filter !== undefined });
  const fault = isOfFilter(asked.error) ? asked.error.message : null;
  const set = (next: Condition[]) => onChange(next.length === 0 ? undefined : toExpression(next));
  return (
    <div className={styles.bar}>
      {isExpression ? (
        <ExpressionField process={process} filter={filter ?? ""} fault={fault} onChange={onChange} />
      ) : (
        <>
          {conditions.map((condition, index) => (
            <ConditionChip
              key={`${condition.field}-${index}`}
              number={index + 1}
              process={process}
              condition={condition}
              onChange={(changed) => set(conditions.with(index, changed))}
              onRemove={() => set(conditions.toSpliced(index, 1))}
            />
          ))}
          <AddCondition process={process} onAdd={(condition) => set([...conditions, condition])} />
        </>
      )}
      <GuardedButton
        size="compact-sm"
        variant="subtle"
        color="gray"
        leftSection={isExpression ? <ListFilter size={14} aria-hidden /> : <Braces size={14} aria-hidden />}
        refusal={conditions === null ? say("list.tooRich") : null}
        onPress={expression.toggle}
      >
        {say(isExpression ? "list.asConditions" : "list.asExpression")}
      </GuardedButton>
      {fault !== null && !isExpression && (
        <p className={styles.fault} role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}

/** Whether the filter is what the API refused. */
export function isOfFilter(error: unknown): error is Problem {
  return error instanceof Problem && error.faults.some((fault) => fieldOf(fault.path) === "filter");
}

function operatorName(op: Operator, kind: Kind, say: Say): string {
  if (kind === "time" && (op === "<" || op === ">=")) return say(`op.time.${op}`);
  return say(`op.${op}`);
}

/** A value of a condition, as people read it. */
function spokenValue(field: string, value: Json, process: Process): string {
  const text = String(value);
  if (field === "state") return stateLabel(text, process);
  const called = choiceLabel(value, process.fields.find(({ name }) => name === field)?.choices);
  if (called !== undefined) return called;
  return /^\d{4}-\d\d-\d\dT/.test(text) ? text.slice(0, 16).replace("T", " ") : text;
}

function ConditionChip({ number, process, condition, onChange, onRemove }: { number: number; process: Process; condition: Condition; onChange: (condition: Condition) => void; onRemove: () => void }) {
  const say = useSay();
  const [isOpen, open] = useDisclosure(false);
  const kind = indexed(process).get(condition.field) ?? "text";
  const hasValue = condition.op !== "empty" && condition.op !== "given";
  return (
    <Popover opened={isOpen} onChange={(next) => !next && open.close()} position="bottom-start" trapFocus>
      <Popover.Target>
        <span className={styles.chip}>
          <button type="button" aria-label={say("list.condition", { number })} aria-description={toExpression([condition])} onClick={open.toggle}>
            <b>{labelOf(condition.field, process, say)}</b> {operatorName(condition.op, kind, say)}{" "}
            {hasValue && <b>{spokenValues(condition, process)}</b>}
          </button>
          <button type="button" aria-label={`${say("common.remove")}: ${labelOf(condition.field, process, say)}`} onClick={onRemove}>
            <X size={14} aria-hidden />
          </button>
        </span>
      </Popover.Target>
      <Popover.Dropdown>
        <ConditionForm
          process={process}
          given={condition}
          onDone={(changed) => {
            onChange(changed);
            open.close();
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

function spokenValues({ field, value }: Condition, process: Process): string {
  const said = Array.isArray(value) ? value : [value];
  return said.map((one) => spokenValue(field, one, process)).join(", ");
}

function AddCondition({ process, onAdd }: { process: Process; onAdd: (condition: Condition) => void }) {
  const say = useSay();
  const [isOpen, open] = useDisclosure(false);
  return (
    <Popover opened={isOpen} onChange={(next) => !next && open.close()} position="bottom-start" trapFocus>
      <Popover.Target>
        <Button size="compact-sm" variant="default" leftSection={<Plus size={14} aria-hidden />} onClick={open.toggle}>
          {say("list.addCondition")}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <ConditionForm
          process={process}
          given={{ field: "state", op: "in", value: [] }}
          onDone={(condition) => {
            onAdd(condition);
            open.close();
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

function ConditionForm({ process, given, onDone }: { process: Process; given: Condition; onDone: (condition: Condition) => void }) {
  const say = useSay();
  const [condition, setCondition] = useState(given);
  const fields = indexed(process);
  const kind = fields.get(condition.field) ?? "text";
  const isWhole = condition.op === "empty" || condition.op === "given" || (condition.value !== null && condition.value !== "" && !(Array.isArray(condition.value) && condition.value.length === 0));
  const within = { comboboxProps: { withinPortal: false } };
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (isWhole) onDone(condition);
      }}
    >
      <Select
        {...within}
        label={say("list.field")}
        searchable
        openOnFocus={false}
        allowDeselect={false}
        data={[...fields.keys()].map((name) => ({ value: name, label: labelOf(name, process, say) }))}
        value={condition.field}
        onChange={(field) => {
          if (field === null) return;
          const op = operators(fields.get(field) ?? "text")[0] ?? "==";
          setCondition(field === "state" ? { field, op: "in", value: [] } : { field, op, value: null });
        }}
      />
      <Select
        {...within}
        label={say("list.operator")}
        allowDeselect={false}
        data={operators(kind).map((op) => ({ value: op, label: operatorName(op, kind, say) }))}
        value={condition.op}
        onChange={(op) => op !== null && setCondition({ ...condition, op: op as Operator, value: op === "in" ? [] : null })}
      />
      <ConditionValue process={process} kind={kind} condition={condition} onChange={(value) => setCondition({ ...condition, value })} />
      <Button type="submit">{say("common.apply")}</Button>
    </form>
  );
}

function ConditionValue({ process, kind, condition, onChange }: { process: Process; kind: Kind; condition: Condition; onChange: (value: Json) => void }) {
  const say = useSay();
  const { op, value, field } = condition;
  const label = say("list.value");
  const within = { comboboxProps: { withinPortal: false } };
  if (op === "empty" || op === "given") return null;
  if (op === "in") {
    const isNumber = kind === "number";
    const known = valuesOf(field, process);
    const chosen = Array.isArray(value) ? value.map(String) : [];
    if (known.length > 0 && known.length <= FEW) {
      return (
        <Checkbox.Group label={label} value={chosen} onChange={onChange}>
          <Stack gap={6} pt={4}>
            {known.map((one) => (
              <Checkbox key={one} value={one} label={spokenValue(field, one, process)} />
            ))}
          </Stack>
        </Checkbox.Group>
      );
    }
    return <TagsInput {...within} label={label} data={known} value={chosen} onChange={(said) => onChange(isNumber ? said.map(Number).filter(Number.isFinite) : said)} />;
  }
  if (kind === "number") {
    return <NumberInput label={label} value={typeof value === "number" ? value : ""} onChange={(said) => onChange(said === "" ? null : Number(said))} />;
  }
  if (kind === "time") {
    const text = typeof value === "string" ? toLocalInput(value) : "";
    return <TextInput type="datetime-local" label={label} value={text} onChange={(event) => onChange(event.currentTarget.value === "" ? null : new Date(event.currentTarget.value).toISOString())} />;
  }
  const known = valuesOf(field, process);
  if (known.length > 0) {
    return <Select {...within} label={label} searchable openOnFocus={false} data={known.map((one) => ({ value: one, label: spokenValue(field, one, process) }))} value={typeof value === "string" ? value : null} onChange={(said) => onChange(said)} />;
  }
  return <TextInput label={label} value={typeof value === "string" ? value : ""} onChange={(event) => onChange(event.currentTarget.value)} />;
}

