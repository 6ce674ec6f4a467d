/** The same query as columns, one for each state. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Process, RecordView } from "../api/model";
import { some } from "../api/queries";
import { ColumnValue } from "../fields/Value";
import { headline, headlineField, usualColumns } from "../fields/words";
import { useSay } from "../i18n/words";
import { place } from "../paths";
import type { ListSearch } from "../routes";
import { Moment } from "../ui/Moment";
import { ProblemBox } from "../ui/ProblemBox";
import { StateBadge } from "../ui/StateBadge";
import { both } from "./filter";
import { isOfFilter } from "./FilterBar";
import styles from "./Board.module.css";

/** Cards of a column; who wants more looks at the list. */
const CARDS = 30;
const ON_A_CARD = 3;

export function Board({ process, search }: { process: Process; search: ListSearch }) {
  return (
    <div className={styles.board} tabIndex={0} role="region" aria-label={process.title}>
      {process.order.map((state) => (
        <Column key={state} process={process} state={state} search={search} />
      ))}
    </div>
  );
}

function Column({ process, state, search }: { process: Process; state: string; search: ListSearch }) {
  const say = useSay();
  const filter = both(search.filter, `record.state == '${state}'`);
  const query = { filter, ...(search.q && { q: search.q }), sort: search.sort ?? "-updated_at" };
  const page = useQuery(some(process.collection, query, CARDS));
  const items = (page.data?.items ?? []).filter((record) => record.state === state);
  const count = page.data?.next ? say("board.more", { count: items.length }) : String(items.length);
  return (
    <section className={styles.column}>
      <h2>
        <StateBadge state={state} process={process} /> <span>{page.data ? count : ""}</span>
      </h2>
      <ProblemBox error={isOfFilter(page.error) ? null : page.error} />
      <ul>
        {items.map((record) => (
          <Card key={record.id} process={process} record={record} />
        ))}
      </ul>
    </section>
  );
}

function Card({ process, record }: { process: Process; record: RecordView }) {
  const shown = ["number", "state", "updated_at", headlineField(process)];
  const facts = usualColumns(process).filter((name) => !shown.includes(name) && record.data[name] != null).slice(0, ON_A_CARD);
  return (
    <li className={styles.card}>
      <Link to={place.record(process.collection, record.number)}>{headline(record)}</Link>
      <div className={styles.facts}>
        {facts.map((name) => (
          <ColumnValue key={name} name={name} record={record} process={process} />
        ))}
      </div>
      <div className={styles.foot}>
        <span>{record.number}</span>
        <Moment at={record.updated_at} />
      </div>
    </li>
  );
}

