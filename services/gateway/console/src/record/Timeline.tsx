/** What happened to a record, and a place to say something. The newest stands first. */

import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, type RefObject } from "react";
import type { Process, RecordView } from "../api/model";
import { history } from "../api/queries";
import { useSay } from "../i18n/words";
import { ProblemBox } from "../ui/ProblemBox";
import { Composer } from "./Composer";
import { EntryItem } from "./EntryItem";
import styles from "./Timeline.module.css";

type Which = "all" | "comments" | "changes";

export function Timeline({ process, record, input }: { process: Process; record: RecordView; input: RefObject<HTMLTextAreaElement | null> }) {
  const say = useSay();
  const [which, setWhich] = useState<Which>("all");
  const entries = useQuery(history(process.collection, record.number));
  const shown = (entries.data ?? [])
    .filter((entry) => which === "all" || (which === "comments") === (entry.comment !== undefined || entry.attachment !== undefined))
    .toReversed();
  return (
    <section aria-label={say("record.activity")}>
      <Composer process={process} record={record} input={input} />
      <SegmentedControl
        size="xs"
        mb="sm"
        aria-label={say("record.activity")}
        value={which}
        onChange={(value) => setWhich(value as Which)}
        data={[
          { value: "all", label: say("record.all") },
          { value: "comments", label: say("record.comments") },
          { value: "changes", label: say("record.changes") },
        ]}
      />
      <ProblemBox error={entries.error} />
      {entries.data && shown.length === 0 && <p>{say("record.noActivity")}</p>}
      <ol className={styles.entries}>
        {shown.map((entry) => (
          <EntryItem key={entry.id} entry={entry} process={process} number={record.number} />
        ))}
      </ol>
    </section>
  );
}
