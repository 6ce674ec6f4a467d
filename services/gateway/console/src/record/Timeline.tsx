/** What happened to a record, and a place to say something. The newest stands first. */

import { Avatar, Button, SegmentedControl, Textarea } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowRight, Link2, MessageSquare, Pencil, Sparkles } from "lucide-react";
import { useState, type KeyboardEvent, type RefObject } from "react";
import { ask } from "../api/client";
import type { Entry, Json, Process, RecordView } from "../api/model";
import { history } from "../api/queries";
import { Value } from "../fields/Value";
import { labelOf, spoken } from "../fields/words";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import { Moment } from "../ui/Moment";
import { ProblemBox } from "../ui/ProblemBox";
import { StateBadge } from "../ui/StateBadge";
import styles from "./Timeline.module.css";

type Which = "all" | "comments" | "changes";

export function Timeline({ process, record, input }: { process: Process; record: RecordView; input: RefObject<HTMLTextAreaElement | null> }) {
  const say = useSay();
  const [which, setWhich] = useState<Which>("all");
  const entries = useQuery(history(process.collection, record.number));
  const shown = (entries.data ?? [])
    .filter((entry) => which === "all" || (which === "comments") === (entry.comment !== undefined))
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
          <EntryItem key={entry.id} entry={entry} process={process} />
        ))}
      </ol>
    </section>
  );
}

function Composer({ process, record, input }: { process: Process; record: RecordView; input: RefObject<HTMLTextAreaElement | null> }) {
  const say = useSay();
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async () => {
    if (text.trim() === "") return;
    setBusy(true);
    try {
      await ask(api.more(process.collection, record.number, "comments"), { method: "POST", body: { text } });
      setText("");
      setError(null);
      await client.invalidateQueries({ queryKey: ["record", process.collection, record.number] });
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
    if (event.key === "Escape") input.current?.blur();
  };
  return (
    <div className={styles.composer}>
      <Textarea ref={input} variant="unstyled" autosize minRows={2} maxRows={12} aria-label={say("record.comment")} placeholder={say("record.commentHelp", { number: record.number })} value={text} onChange={(event) => setText(event.currentTarget.value)} onKeyDown={press} />
      <ProblemBox error={error} />
      <div className={styles.send}>
        <span>Ctrl + Enter</span>
        <Button size="compact-sm" loading={isBusy} onClick={() => void send()}>
          {say("record.send")}
        </Button>
      </div>
    </div>
  );
}

function EntryItem({ entry, process }: { entry: Entry; process: Process }) {
  const say = useSay();
  const isOpening = entry.rev === 1;
  const changes = Object.entries((entry.changes ?? {}) as Record<string, [Json, Json]>);
  return (
    <li className={styles.entry} data-comment={entry.comment !== undefined || undefined}>
      <span className={styles.icon}>{entry.comment !== undefined ? <Avatar size={26} name={entry.actor.name} variant="filled" color="blue" aria-hidden /> : iconOf(entry)}</span>
      <div className={styles.body}>
        <div className={styles.line}>
          <strong>{entry.actor.name}</strong>
          <span>{isOpening ? say("record.opened") : deed(entry, process, say)}</span>
          {entry.to && entry.from && entry.to !== entry.from && (
            <span className={styles.move}>
              <StateBadge state={entry.from} process={process} />
              <ArrowRight size={14} aria-label="→" />
              <StateBadge state={entry.to} process={process} />
            </span>
          )}
          <span className={styles.when}>
            <Moment at={entry.at} />
          </span>
        </div>
        {entry.comment !== undefined && <p className={styles.comment}>{entry.comment}</p>}
        {entry.erased !== undefined && <p className={styles.none}>{say("record.erased")}</p>}
        {changes.length > 0 && !isOpening && <Changes changes={changes} process={process} />}
      </div>
    </li>
  );
}

function iconOf(entry: Entry) {
  if (entry.rev === 1) return <Sparkles size={15} aria-hidden />;
  if (entry.link) return <Link2 size={15} aria-hidden />;
  if (entry.transition) return <ArrowRight size={15} aria-hidden />;
  return entry.comment === undefined ? <Pencil size={15} aria-hidden /> : <MessageSquare size={15} aria-hidden />;
}

function deed(entry: Entry, process: Process, say: ReturnType<typeof useSay>): string {
  if (entry.comment !== undefined) return say("record.commented");
  const link = entry.link as { relation?: string; to?: { number?: string } } | undefined;
  if (link?.to?.number) return say("record.linked", { number: link.to.number, relation: spoken(link.relation ?? "").toLowerCase() });
  if (entry.transition) {
    const from = process.states[entry.from ?? ""] ?? [];
    return from.find((transition) => transition.name === entry.transition)?.label ?? spoken(entry.transition);
  }
  return spoken(entry.event ?? "").toLowerCase();
}

function Changes({ changes, process }: { changes: [string, [Json, Json]][]; process: Process }) {
  const say = useSay();
  return (
    <dl className={styles.changes}>
      {changes.map(([name, [before, after]]) => {
        const field = process.fields.find((known) => known.name === name);
        return (
          <div key={name}>
            <dt>{labelOf(name, process, say)}</dt>
            <dd>
              {before !== null && (
                <>
                  <del>
                    <Value value={before} field={field} />
                  </del>{" "}
                </>
              )}
              <ins>{after === null ? say("record.empty") : <Value value={after} field={field} />}</ins>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
