/** How the promises of this month were kept, target by target; each opens its clocks. */

import { queryOptions, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ask } from "../api/client";
import { processes } from "../api/queries";
import { spoken } from "../fields/words";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import { ProblemBox } from "../ui/ProblemBox";
import styles from "./Compliance.module.css";

type Row = { target: string; service?: string | null; customer?: string | null; met: number; breached: number; open: number; filter: string };

const CLOCKS = "clocks";

/** Periods begin and end with whole months of UTC: totals are kept by the quarter of an hour. */
function thisMonth(): { from: string; to: string } {
  const now = new Date();
  const month = (by: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + by, 1)).toISOString();
  return { from: month(0), to: month(1) };
}

const compliance = (period: { from: string; to: string }) =>
  queryOptions({
    queryKey: ["compliance", period],
    queryFn: () => ask<{ items: Row[] }>(`${api.collection(CLOCKS)}/compliance`, { query: period }),
  });

export function Compliance() {
  const say = useSay();
  const hasClocks = useQuery(processes).data?.some((process) => process.collection === CLOCKS) ?? false;
  const { data, error } = useQuery({ ...compliance(thisMonth()), enabled: hasClocks });
  if (!hasClocks) return null;
  const rows = (data?.items ?? []).filter((row) => row.met + row.breached > 0);
  return (
    <section className={styles.card}>
      <h2>{say("overview.compliance")}</h2>
      <ProblemBox error={error} />
      {data && rows.length === 0 && <p className={styles.none}>{say("overview.noCompliance")}</p>}
      <ul className={styles.targets}>
        {rows.map((row) => {
          const due = row.met + row.breached;
          // Never rounded up to what was not reached.
          const share = Math.floor((row.met / due) * 1000) / 10;
          return (
            <li key={row.filter}>
              <Link to="/$collection" params={{ collection: CLOCKS }} search={{ filter: row.filter }}>
                <strong>{share} %</strong>
                <span>{spoken(row.target)}</span>
                <small>{[row.service, row.customer].filter((part) => part != null && part !== "").join(" · ")}</small>
                <small>{say("overview.kept", { met: row.met, due })}</small>
              </Link>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
