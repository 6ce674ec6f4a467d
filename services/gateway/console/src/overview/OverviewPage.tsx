/** How much work there is and where it stands; every figure opens the records behind it. */

import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import type { ProcessSummary } from "../api/model";
import { counts, process as processQuery, processes } from "../api/queries";
import { stateLabel } from "../fields/words";
import { useLanguage, useSay } from "../i18n/words";
import { ProblemBox } from "../ui/ProblemBox";
import { toneOf } from "../ui/StateBadge";
import { Compliance } from "./Compliance";
import { Figures } from "./Figures";
import styles from "./OverviewPage.module.css";

export function OverviewPage() {
  const say = useSay();
  const known = useQuery(processes);
  useEffect(() => {
    document.title = `${say("overview.title")} · ${say("app.name")}`;
  }, [say]);
  return (
    <>
      <h1 className={styles.title}>{say("overview.title")}</h1>
      <ProblemBox error={known.error} />
      <Compliance />
      {known.data && <Figures summaries={known.data} />}
      <h2 className={styles.section}>{say("overview.byState")}</h2>
      <Cards summaries={known.data ?? []} />
    </>
  );
}

/** Processes with records first, the fullest before all. */
function Cards({ summaries }: { summaries: ProcessSummary[] }) {
  const say = useSay();
  const all = useQueries({ queries: summaries.map((summary) => counts(summary.process)) });
  const cards = summaries
    .map((summary, index) => ({ summary, states: all[index]?.data?.states }))
    .map((card) => ({ ...card, total: Object.values(card.states ?? {}).reduce((sum, count) => sum + count, 0) }))
    .toSorted((one, other) => other.total - one.total);
  const full = cards.filter(({ total }) => total > 0);
  const empty = all.some((counts) => counts.isPending) ? [] : cards.filter(({ total }) => total === 0);
  return (
    <>
      <div className={styles.cards}>
        {full.map(({ summary, states, total }) => (
          <Card key={summary.process} summary={summary} states={states ?? {}} total={total} />
        ))}
      </div>
      {empty.length > 0 && (
        <p className={styles.empty}>
          {say("overview.none")}{" "}
          {empty.map(({ summary }) => (
            <Link key={summary.process} to="/$collection" params={{ collection: summary.collection }}>
              {summary.title}
            </Link>
          ))}
        </p>
      )}
    </>
  );
}

function Card({ summary, states, total }: { summary: ProcessSummary; states: Record<string, number>; total: number }) {
  const { code } = useLanguage();
  const process = useQuery(processQuery(summary.process)).data;
  const format = new Intl.NumberFormat(code);
  const inOrder = process?.order ?? Object.keys(states);
  const shown = inOrder.map((state): [string, number] => [state, states[state] ?? 0]).filter(([, count]) => count > 0);
  const most = Math.max(...shown.map(([, count]) => count), 1);
  return (
    <section className={styles.card}>
      <h3>
        <Link to="/$collection" params={{ collection: summary.collection }}>
          {summary.title}
        </Link>
        <span>{format.format(total)}</span>
      </h3>
      <ul>
        {shown.map(([state, count]) => (
          <li key={state}>
            <Link to="/$collection" params={{ collection: summary.collection }} search={{ filter: `record.state in ['${state}']` }}>
              <span className={styles.label}>{stateLabel(state, process)}</span>
              {/* What it shows is said by the figure beside it. */}
              <svg className={styles.bar} viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden data-tone={toneOf(state, process)}>
                <rect width={Math.max((count / most) * 100, 1)} height="8" rx="1" />
              </svg>
              <span className={styles.count}>{format.format(count)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
