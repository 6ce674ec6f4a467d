/** Opening a record: a form drawn from the process's schema. */

import { Modal } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ask } from "../api/client";
import type { Data, Process, RecordView } from "../api/model";
import { schemas } from "../api/queries";
import { CommandForm } from "../fields/CommandForm";
import { useSay } from "../i18n/words";
import { api, place } from "../paths";
import { ProblemBox } from "../ui/ProblemBox";

type Props = { process: Process; collection: string; isOpen: boolean; onClose: () => void };

export function NewRecord({ process, collection, isOpen, onClose }: Props) {
  const say = useSay();
  const client = useQueryClient();
  const navigate = useNavigate();
  const schema = useQuery({ ...schemas(process.process), enabled: isOpen });
  const open = async (data: Data) => {
    const made = await ask<RecordView>(api.collection(collection), { method: "POST", body: data });
    await client.invalidateQueries({ queryKey: ["records", collection] });
    await navigate({ to: place.record(collection, made.number) });
  };
  return (
    <Modal opened={isOpen} onClose={onClose} size="xl" title={say("list.createOne", { name: process.title })} closeButtonProps={{ "aria-label": say("common.close") }}>
      {schema.data ? (
        <CommandForm schema={withRequired(schema.data.open, process)} process={process} submit={say("form.open")} onSubmit={open} onCancel={onClose} />
      ) : (
        <ProblemBox error={schema.error} />
      )}
    </Modal>
  );
}

/** What every record must have is asked for where it is opened, unless it is filled by itself. */
function withRequired(schema: Parameters<typeof CommandForm>[0]["schema"], process: Process) {
  const required = process.fields.filter((field) => field.required && !field.read_only).map((field) => field.name);
  return { ...schema, required: [...new Set([...(schema.required ?? []), ...required])] };
}
