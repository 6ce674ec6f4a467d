/** A cell of the list: what it says, the way to the record, and where it may be changed. */

import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import { flushSync } from "react-dom";
import type { Process, RecordView } from "../api/model";
import { ColumnValue } from "../fields/Value";
import { headlineField, labelOf } from "../fields/words";
import { useSay } from "../i18n/words";
import { place } from "../paths";
import { needsRoom } from "./CellDialog";
import { CellEditor } from "./CellEditor";
import styles from "./RecordTable.module.css";

/** Which field of which record, as it was when somebody began to write. */
export type Editing = { record: RecordView; field: string };

type Props = {
  name: string;
  record: RecordView;
  process: Process;
  /** What is written in the list at the moment. */
  editing: Editing | null;
  onEdit: (editing: Editing | null) => void;
};

export function Cell({ name, record, process, editing, onEdit }: Props) {
  const say = useSay();
  const cell = useRef<HTMLTableCellElement>(null);
  const headline = headlineField(process);
  const field = process.fields.find((known) => known.name === name);
  const isEditable = field !== undefined && !field.read_only && record.closed_at === null;
  const isWritten = editing?.record.id === record.id && editing.field === name;
  if (field && isWritten && !needsRoom(field)) {
    const close = (goesBack: boolean) => {
      // Drawn at once, so that the cell's button is there to go back to.
      flushSync(() => onEdit(null));
      if (goesBack) cell.current?.querySelector<HTMLElement>("[data-edit]")?.focus();
    };
    return (
      <td ref={cell} data-written>
        <CellEditor process={process} record={editing.record} field={field} onClose={close} />
      </td>
    );
  }
  const value = <ColumnValue name={name} record={record} process={process} />;
  const edit = () => onEdit({ record, field: name });
  return (
    <td ref={cell} data-wide={name === headline || undefined} onDoubleClick={() => isEditable && edit()}>
      {name === "number" || name === headline ? (
        // What there is no room for is said on hover.
        <Link className={styles.link} to={place.record(process.collection, record.number)} title={String(record.data[name] ?? record.number)}>
          {value}
        </Link>
      ) : (
        value
      )}
      {isEditable && (
        <button
          type="button"
          className={styles.edit}
          tabIndex={-1}
          data-edit={name === headline ? "first" : ""}
          aria-label={say("list.editCell", { field: labelOf(name, process, say), number: record.number })}
          onClick={edit}
        />
      )}
    </td>
  );
}
