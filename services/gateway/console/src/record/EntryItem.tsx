/** One thing that happened: who did what, and what it changed. */

import { Avatar } from "@mantine/core";
import { ArrowRight, Bell, Link2, ListChecks, MessageSquare, Paperclip, Pencil, Sparkles, Unlink, Vote, type LucideIcon } from "lucide-react";
import type { Entry, Notice, Process } from "../api/model";
import { useRelationLabel } from "../fields/relations";
import { Reference } from "../fields/Value";
import { spoken } from "../fields/words";
import { useLanguage, type Key, type Say } from "../i18n/words";
import { api } from "../paths";
import { Moment } from "../ui/Moment";
import { bytes } from "../ui/size";
import { StateBadge } from "../ui/StateBadge";
import { Changes, type Change } from "./Changes";
import styles from "./Timeline.module.css";

type Props = { entry: Entry; process: Process; number: string };

export function EntryItem({ entry, process, number }: Props) {
  const { say } = useLanguage();
  const called = useRelationLabel(process);
  const isOpening = entry.rev === 1;
  const changes = Object.entries((entry.changes ?? {}) as Record<string, [Change[1][0], Change[1][1]]>);
  const Icon = iconOf(entry);
  return (
    <li className={styles.entry} data-comment={entry.comment !== undefined || undefined}>
      <span className={styles.icon}>{entry.comment !== undefined ? <Avatar size={26} name={entry.actor.name} variant="filled" color="blue" aria-hidden /> : <Icon size={15} aria-hidden />}</span>
      <div className={styles.body}>
        <div className={styles.line}>
          <strong>{entry.actor.name}</strong>
          <span>{isOpening ? say("record.opened") : deed(entry, process, say, called)}</span>
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
        {entry.attachment !== undefined && <File entry={entry} collection={process.collection} number={number} />}
        {noticesOf(entry).map((notice) => <Told key={notice.rule} notice={notice} />)}
        {entry.erased !== undefined && <p className={styles.none}>{say("record.erased")}</p>}
        {changes.length > 0 && !isOpening && <Changes changes={changes} process={process} />}
      </div>
    </li>
  );
}

/** Who is told of a step stands with the step. */
function noticesOf(entry: Entry): Notice[] {
  return (entry as { notices?: Notice[] }).notices ?? [];
}

function Told({ notice }: { notice: Notice }) {
  return (
    <p className={styles.kept}>
      {notice.to.map((name, index) => (
        <span key={name}>
          {index > 0 && ", "}
          {name.startsWith("role:") || name.startsWith("webhook:") ? spoken(name.slice(name.indexOf(":") + 1)) : <Reference value={name} />}
        </span>
      ))}
      : {notice.subject}
    </p>
  );
}

function File({ entry, collection, number }: { entry: Entry; collection: string; number: string }) {
  const { code } = useLanguage();
  const file = entry.attachment as unknown as { name: string; size: number };
  return (
    <p className={styles.kept}>
      <a href={api.file(collection, number, entry.rev)} download={file.name}>
        {file.name}
      </a>{" "}
      ({bytes(file.size, code)})
    </p>
  );
}

/** What every record says of itself, whatever its process. */
const EVENTS: Record<string, [LucideIcon, Key]> = {
  amended: [Pencil, "event.amended"],
  commented: [MessageSquare, "record.commented"],
  erased: [Pencil, "event.erased"],
  file_attached: [Paperclip, "event.file_attached"],
  linked: [Link2, "event.linked"],
  unlinked: [Unlink, "event.unlinked"],
  migrated: [Pencil, "event.migrated"],
  notified: [Bell, "event.notified"],
  obligation_overdue: [Bell, "event.obligation_overdue"],
  obligation_reminded: [Bell, "event.obligation_reminded"],
  overdue: [Bell, "event.overdue"],
  task_added: [ListChecks, "event.task_added"],
  task_assigned: [ListChecks, "event.task_assigned"],
  task_done: [ListChecks, "event.task_done"],
  task_dropped: [ListChecks, "event.task_dropped"],
  voided: [Vote, "event.voided"],
  voted: [Vote, "event.voted"],
};

function iconOf(entry: Entry): LucideIcon {
  if (entry.rev === 1) return Sparkles;
  if (entry.transition) return ArrowRight;
  return EVENTS[entry.event]?.[0] ?? Pencil;
}

function deed(entry: Entry, process: Process, say: Say, called: (relation: string) => string): string {
  for (const [link, word] of [[entry.link, "record.linked"], [entry.unlink, "record.unlinked"]] as const) {
    const { relation, to } = (link ?? {}) as { relation?: string; to?: { number?: string } };
    if (to?.number) return say(word, { number: to.number, relation: called(relation ?? "") });
  }
  if (entry.transition) {
    const from = process.states[entry.from ?? ""] ?? [];
    return from.find((transition) => transition.name === entry.transition)?.label ?? spoken(entry.transition);
  }
  const known = EVENTS[entry.event]?.[1];
  return known ? say(known) : spoken(entry.event).toLowerCase();
}
