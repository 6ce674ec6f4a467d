/** The promises that a record is measured by: how much time is used, and every second explained. */

import { Button, Modal, Table } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import type { Explanation, RecordView } from "../api/model";
import { explanation, process as processQuery, processes, some } from "../api/queries";
import { spoken } from "../fields/words";
import { useSay } from "../i18n/words";
import { Moment } from "../ui/Moment";
import { ProblemBox } from "../ui/ProblemBox";
import { StateBadge } from "../ui/StateBadge";
import { span } from "../ui/time";
import card from "./Card.module.css";
import styles from "./Clocks.module.css";

const CLOCKS = "clocks";
const SHOWN = 20;

export function Clocks({ record }: { record: RecordView }) {
  const say = useSay();
  const hasClocks = useQuery(processes).data?.some((process) => process.collection === CLOCKS) ?? false;
  const filter = `record.of == '${record.id}' && record.state != 'cancelled'`;
  const clocks = useQuery({ ...some(CLOCKS, { filter }, SHOWN), enabled: hasClocks });
  const items = clocks.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <section className={card.card}>
      <h2>{say("record.clocks")}</h2>
      <ul className={card.list}>
        {items.map((clock) => (
          <Clock key={clock.id} clock={clock} />
        ))}
      </ul>
    </section>
  );
}

function Clock({ clock }: { clock: RecordView }) {
  const say = useSay();
  const [isOpen, open] = useDisclosure(false);
  const process = useQuery(processQuery(clock.process));
  const why = useQuery(explanation(clock.number));
  const due = typeof clock.data.due_at === "string" ? clock.data.due_at : null;
  const target = spoken(String(clock.data.target ?? clock.number));
  return (
    <li className={styles.clock}>
      <div className={styles.line}>
        <strong>{target}</strong>
        <StateBadge state={clock.state} process={process.data} />
      </div>
      {why.data && <Track explained={why.data} due={due} label={target} />}
      <div className={styles.line}>
        <span className={styles.muted}>
          {why.data && say("clock.elapsed", { time: span(why.data.elapsed_seconds) })}
          {due && (
            <>
              {" · "}
              <Due at={due} zone={why.data?.zone ?? null} />
            </>
          )}
        </span>
        <Button size="compact-xs" variant="subtle" aria-label={`${say("clock.why")}: ${target}`} onClick={open.open}>
          {say("clock.why")}
        </Button>
      </div>
      <Modal opened={isOpen} onClose={open.close} size="xl" title={target} closeButtonProps={{ "aria-label": say("common.close") }}>
        {why.data ? <Explained explained={why.data} due={due} label={target} /> : <ProblemBox error={why.error} />}
      </Modal>
    </li>
  );
}

function Due({ at, zone }: { at: string; zone: string | null }) {
  const say = useSay();
  const [before, after] = say("clock.due", { time: "\u0000" }).split("\u0000");
  return (
    <>
      {before}
      <Moment at={at} zone={zone} />
      {after}
    </>
  );
}

/** Time from the start to now, or to when it is due: filled where the clock ran, hatched where it stood. */
function Track({ explained, due, label }: { explained: Explanation; due: string | null; label: string }) {
  const say = useSay();
  const hatch = useId();
  const { segments } = explained;
  const first = segments[0];
  if (!first) return null;
  const start = Date.parse(first.from);
  const end = Math.max(Date.parse(explained.as_of), due ? Date.parse(due) : 0);
  const x = (at: string) => (Math.max(0, Date.parse(at) - start) / Math.max(end - start, 1)) * 100;
  return (
    <svg className={styles.track} viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={`${label}: ${explained.sentence}`}>
      <defs>
        <pattern id={hatch} width="2" height="10" patternUnits="userSpaceOnUse">
          <rect className={styles.stood} width="1" height="10" />
        </pattern>
      </defs>
      <rect className={styles.base} width="100" height="10" />
      {segments.map((segment) => (
        <rect key={segment.from} className={segment.running ? styles.ran : undefined} fill={segment.running ? undefined : `url(#${hatch})`} x={x(segment.from)} width={Math.max(x(segment.to) - x(segment.from), 0.4)} height="10">
          <title>{`${say(segment.running ? "clock.running" : "clock.still")}: ${segment.because} (${span(segment.seconds)})`}</title>
        </rect>
      ))}
      {due && <rect className={styles.due} x={Math.min(x(due), 99.2)} width="0.8" height="10" />}
    </svg>
  );
}

function Explained({ explained, due, label }: { explained: Explanation; due: string | null; label: string }) {
  const say = useSay();
  return (
    <>
      <p>{explained.sentence}</p>
      {explained.zone !== null && <p className={styles.muted}>{say("clock.zone", { zone: explained.zone })}</p>}
      <Track explained={explained} due={due} label={label} />
      <div className={styles.scroll} tabIndex={0} role="region" aria-label={label}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{say("clock.from")}</Table.Th>
              <Table.Th>{say("clock.to")}</Table.Th>
              <Table.Th>{say("clock.state")}</Table.Th>
              <Table.Th>{say("clock.because")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {explained.segments.map((segment) => (
              <Table.Tr key={segment.from}>
                <Table.Td>
                  <Moment at={segment.from} full zone={explained.zone} />
                </Table.Td>
                <Table.Td>
                  <Moment at={segment.to} full zone={explained.zone} />
                </Table.Td>
                <Table.Td>
                  {say(segment.running ? "clock.running" : "clock.still")} · {span(segment.seconds)}
                </Table.Td>
                <Table.Td>{segment.because}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </>
  );
}
