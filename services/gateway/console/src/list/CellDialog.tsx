/** A field that needs more room than its cell has, changed from the list in a form. */

import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { Data, Field, Process, RecordView } from "../api/model";
import { schemas } from "../api/queries";
import { CommandForm } from "../fields/CommandForm";
import { plain } from "../fields/Input";
import { labelOf } from "../fields/words";
import { useSay } from "../i18n/words";
import { ProblemBox } from "../ui/ProblemBox";
import { useAmend } from "./amend";

/** Longer texts have lines. */
const ONE_LINE = 250;

export function needsRoom(field: Field): boolean {
  const { type, items, maxLength = 0 } = plain(field.schema);
  return type === "object" || (type === "array" && items?.type !== "string") || maxLength > ONE_LINE;
}

type Props = { process: Process; record: RecordView; field: string; onClose: () => void };

export function CellDialog({ process, record, field, onClose }: Props) {
  const say = useSay();
  const schema = useQuery(schemas(process.process));
  const { save } = useAmend(process, record, field);
  const given: Data = record.data[field] === undefined ? {} : { [field]: record.data[field] };
  const send = async (data: Data) => {
    await save(data[field]);
    onClose();
  };
  return (
    <Modal opened onClose={onClose} title={say("list.editCell", { field: labelOf(field, process, say), number: record.number })} closeButtonProps={{ "aria-label": say("common.close") }}>
      {schema.data ? (
        <CommandForm schema={schema.data.amend} process={process} given={given} fields={[field]} submit={say("common.save")} onSubmit={send} onCancel={onClose} />
      ) : (
        <ProblemBox error={schema.error} />
      )}
    </Modal>
  );
}
