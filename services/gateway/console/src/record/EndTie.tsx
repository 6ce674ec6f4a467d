/** Ends what ties a record to another, once somebody has said that they mean it. */

import { ActionIcon, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Unlink } from "lucide-react";
import { useState } from "react";
import { ask } from "../api/client";
import type { RecordView, Tie } from "../api/model";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import { ProblemBox } from "../ui/ProblemBox";
import { useDone } from "./take";

type Props = { collection: string; record: RecordView; tie: Tie };

export function EndTie({ collection, record, tie }: Props) {
  const say = useSay();
  const done = useDone(collection);
  const [isAsking, asking] = useDisclosure(false);
  const [error, setError] = useState<unknown>(null);
  const other = tie.to.number;
  const title = say("record.endLink", { number: other });
  const end = async () => {
    try {
      const next = await ask<RecordView>(api.tie(collection, record.number, tie.relation, other), { method: "DELETE" });
      await done(next, say("record.linkEnded", { number: other }));
    } catch (caught) {
      setError(caught);
    }
  };
  return (
    <>
      <ActionIcon size="sm" variant="subtle" color="gray" aria-label={title} onClick={asking.open}>
        <Unlink size={14} aria-hidden />
      </ActionIcon>
      <Modal opened={isAsking} onClose={asking.close} title={title} closeButtonProps={{ "aria-label": say("common.close") }}>
        <Stack>
          <Text>{say("record.endLinkSure", { number: record.number, other })}</Text>
          <ProblemBox error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={asking.close}>
              {say("common.back")}
            </Button>
            <Button onClick={() => void end()}>{say("common.remove")}</Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
