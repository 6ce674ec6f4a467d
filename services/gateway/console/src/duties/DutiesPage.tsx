/** Obligations and debts, due and overdue, over all processes. */

import { Button, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { process as processQuery, processes } from "../api/queries";
import { Reference } from "../fields/Value";
import { spoken } from "../fields/words";
import { useSay } from "../i18n/words";
import { Moment } from "../ui/Moment";
import { ProblemBox } from "../ui/ProblemBox";
import { StateBadge } from "../ui/StateBadge";
import { duties, type Duty, type Owing } from "./queries";
import styles from "./DutiesPage.module.css";

const DAY_MS = 86_400_000;
const UNTIL = ["overdue", "week", "month", "all"] as const;
type Until = (typeof UNTIL)[number];
/** How far ahead each looks, in days. */
const AHEAD: Record<Until, number | null> = { overdue: 0, week: 7, month: 31, all: null };

export function DutiesPage() {
  const say = useSay();
  const [until, setUntil] = useState<Until>("month");
  const now = useMemo(() => Date.now(), []);
  const ahead = AHEAD[until];
  const found = useInfiniteQuery(duties(ahead === null ? undefined : new Date(now + ahead * DAY_MS).toISOString()));
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  const unreachable = found.data?.pages.at(-1)?.unreachable ?? [];
  const isOverdue = (item: Owing) => Date.parse(item.due_at) <= now;
  useEffect(() => {
    document.title = `${say("nav.duties")} · ${say("app.name")}`;
  }, [say]);
  return (
    <>
      <div className={styles.head}>
        <h1>{say("nav.duties")}</h1>
        <SegmentedControl
          size="xs"
          aria-label={say("duties.until")}
          value={until}
          onChange={(next) => setUntil(next as Until)}
          data={UNTIL.map((value) => ({ value, label: say(`duties.${value}`) }))}
        />
      </div>
      <ProblemBox error={found.error} />
      {unreachable.length > 0 && <p className={styles.note}>{say("duties.unreachable", { names: unreachable.join(", ") })}</p>}
      {found.data && items.length === 0 && <p className={styles.note}>{say("duties.none")}</p>}
      <Part title={say("duties.overdue")} items={items.filter(isOverdue)} isLate />
      <Part title={say("duties.ahead")} items={items.filter((item) => !isOverdue(item))} />
      {found.hasNextPage && (
        <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {say("list.loadMore")}
        </Button>
      )}
    </>
  );
}

function Part({ title, items, isLate = false }: { title: string; items: Owing[]; isLate?: boolean }) {
  const say = useSay();
  if (items.length === 0) return null;
  return (
    <section className={styles.part} data-late={isLate || undefined}>
      <h2>
        {title} <span>{items.length}</span>
      </h2>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label={title}>
        <table>
          <thead>
            <tr>
              {(["due", "what", "record", "owner", "state"] as const).map((column) => (
                <th key={column} scope="col">
                  {say(`duties.${column}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <Line key={`${item.record.id}${item.due_at}`} item={item} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** A record with what it owes first, and what else. */
function Line({ item: { due_at, record, duties: owed } }: { item: Owing }) {
  const say = useSay();
  const known = useQuery(processes).data?.find(({ process }) => process === record.process);
  const process = useQuery(processQuery(record.process)).data;
  const first = owed.find((duty) => duty.due_at === due_at) ?? owed[0];
  const others = owed.filter((duty) => duty !== first && duty.due_at !== null);
  const name = (duty: Duty) => duty.label ?? spoken(duty.name);
  const title = record.title ?? record.number;
  return (
    <tr data-number={record.number}>
      <td>
        <Moment at={due_at} />
      </td>
      <td>
        <strong>{first ? name(first) : ""}</strong>
        {first?.kind === "debt" && <small>{say("duties.debt")}</small>}
        {others.length > 0 && <small>{say("duties.also", { names: others.map(name).join(", ") })}</small>}
      </td>
      <td>
        {known ? (
          <Link to="/$collection/$number" params={{ collection: known.collection, number: record.number }}>
            {record.number}
          </Link>
        ) : (
          record.number
        )}
        <small>{title === record.number ? record.called : title}</small>
      </td>
      <td>
        {typeof first?.owner === "string" && <Reference value={first.owner} />}
      </td>
      <td>
        <StateBadge state={record.state} process={process} />
      </td>
    </tr>
  );
}
