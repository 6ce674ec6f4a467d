/** The form of a step: what the record holds already stands in it. */

import { Modal } from "@mantine/core";
import { useState } from "react";
import type { CommandSchemas, Data, Process, RecordView } from "../api/model";
import { CommandForm } from "../fields/CommandForm";
import { useSay } from "../i18n/words";
import { beside, held, useTake, type Taking } from "./take";

type Props = { process: Process; schema: CommandSchemas | undefined; record: RecordView; taking: Taking | null; onClose: () => void };

export function TakeDialog({ process, schema, record, taking, onClose }: Props) {
  const say = useSay();
  return (
    <Modal opened={taking !== null} onClose={onClose} title={taking?.offer.label} size="lg" closeButtonProps={{ "aria-label": say("common.close") }}>
      {taking && schema && <TakeForm key={`${record.id} ${taking.offer.name}`} process={process} schema={schema} record={record} taking={taking} onClose={onClose} />}
    </Modal>
  );
}

function TakeForm({ process, schema, record, taking: { offer, given }, onClose }: Props & { schema: CommandSchemas; taking: Taking }) {
  const take = useTake(process.collection);
  // As it was when the form was opened: what is typed is compared with what was read.
  const [holds] = useState(() => held(schema, process, offer, record));
  const send = async (data: Data) => {
    await take(record, offer, beside(holds, data));
    onClose();
  };
  return (
    <CommandForm
      schema={{ ...schema.transitions[offer.name], required: offer.needs }}
      process={process}
      given={{ ...holds, ...given }}
      submit={offer.label}
      onSubmit={send}
      onCancel={onClose}
    />
  );
}
