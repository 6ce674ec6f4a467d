/** One field of one record, changed from the list. */

import { Modal } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ask } from "../api/client";
import type { Data, Process, RecordView } from "../api/model";
import { schemas } from "../api/queries";
import { CommandForm } from "../fields/CommandForm";
import { labelOf } from "../fields/words";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import { notice } from "../ui/Notice";
import { ProblemBox } from "../ui/ProblemBox";

type Props = { process: Process; record: RecordView; field: string; onClose: () => void };

export function CellEditor({ process, record, field, onClose }: Props) {
  const say = useSay();
  const client = useQueryClient();
  const schema = useQuery(schemas(process.process));
  const given: Data = record.data[field] === undefined ? {} : { [field]: record.data[field] };
  const save = async (data: Data) => {
    const body = { [field]: data[field] ?? null };
    await ask<RecordView>(api.record(process.collection, record.number), { method: "PATCH", body, rev: record.rev });
    await client.invalidateQueries({ queryKey: ["records", process.collection] });
    notice(say("record.saved"));
    onClose();
  };
  return (
    <Modal opened onClose={onClose} title={say("list.editCell", { field: labelOf(field, process, say), number: record.number })} closeButtonProps={{ "aria-label": say("common.close") }}>
      {schema.data ? (
        <CommandForm schema={schema.data.amend} process={process} given={given} fields={[field]} submit={say("common.save")} onSubmit={save} onCancel={onClose} />
      ) : (
        <ProblemBox error={schema.error} />
      )}
    </Modal>
  );
}
