/** A cell in which somebody writes: Enter saves, Escape gives up, and what is wrong stands beneath. */

import { ActionIcon } from "@mantine/core";
import { Check, X } from "lucide-react";
import { useRef, useState, type FocusEvent, type FormEvent, type KeyboardEvent } from "react";
import { Problem } from "../api/client";
import type { Field, Json, Process, RecordView } from "../api/model";
import { Input, plain } from "../fields/Input";
import { isSame } from "../fields/same";
import { ColumnValue } from "../fields/Value";
import { labelOf } from "../fields/words";
import { useSay } from "../i18n/words";
import { fieldOf } from "../ui/ProblemBox";
import { useAmend } from "./amend";
import styles from "./CellEditor.module.css";

type Props = {
  process: Process;
  /** As it was when somebody began to write. */
  record: RecordView;
  field: Field;
  /** `goesBack`: by the keyboard, or because it is done, and not because somebody went elsewhere. */
  onClose: (goesBack: boolean) => void;
};

export function CellEditor({ process, record, field, onClose }: Props) {
  const say = useSay();
  const began = record.data[field.name];
  const [draft, setDraft] = useState<Json | undefined>(began ?? undefined);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const { save, seen } = useAmend(process, record, field.name);
  const form = useRef<HTMLFormElement>(null);
  const label = say("list.editCell", { field: labelOf(field.name, process, say), number: record.number });

  const send = async (value: Json | undefined) => {
    if (isSame(value, seen.data[field.name])) return onClose(true);
    setBusy(true);
    setError(null);
    try {
      await save(value);
      onClose(true);
    } catch (caught) {
      setError(caught);
      setBusy(false);
      form.current?.querySelector("input")?.focus();
    }
  };
  const write = (value: Json | undefined) => {
    setDraft(value);
    // Who chooses one of few has said it all.
    if (isChoice(field)) void send(value);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send(draft);
  };
  const press = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Escape") onClose(true);
  };
  // Who leaves it as it was has given up; what was written waits.
  const leave = (event: FocusEvent) => {
    if (!event.currentTarget.contains(event.relatedTarget) && isSame(draft, began) && !isBusy) onClose(false);
  };

  return (
    <form ref={form} className={styles.editor} aria-label={label} aria-busy={isBusy} onSubmit={submit} onKeyDown={press} onBlur={leave} noValidate>
      <Input field={field} label={label} value={draft} required={field.required} fault={said(error, field.name)} onChange={write} autoFocus isBare />
      <ActionIcon type="submit" size="sm" variant="light" aria-label={say("common.save")} loading={isBusy}>
        <Check size={14} aria-hidden />
      </ActionIcon>
      <ActionIcon size="sm" variant="subtle" color="gray" aria-label={say("common.back")} onClick={() => onClose(true)}>
        <X size={14} aria-hidden />
      </ActionIcon>
      {seen !== record && (
        <p className={styles.now}>
          {say("list.now")} <ColumnValue name={field.name} record={seen} process={process} />
        </p>
      )}
    </form>
  );
}

function isChoice({ schema }: Field): boolean {
  const { enum: words, type } = plain(schema);
  return words !== undefined || type === "boolean";
}

/** What was wrong, in one sentence: the field's own fault before all. */
function said(error: unknown, field: string): string | undefined {
  if (error === null) return undefined;
  const fault = error instanceof Problem ? error.faults.find(({ path }) => fieldOf(path) === field) : undefined;
  return fault?.message ?? (error instanceof Error ? error.message : String(error));
}
