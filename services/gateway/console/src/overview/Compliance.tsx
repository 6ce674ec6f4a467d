/** How promises were kept: this month's targets, and how they went in the months before. */

import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { processes } from "../api/queries";
import { Chart, type Figure, type Row, type Tone } from "../charts/Chart";
import { spoken } from "../fields/words";
import { useLanguage, useSay } from "../i18n/words";
import { ProblemBox } from "../ui/ProblemBox";
import { compliance, month, type Kept, type Period } from "./queries";
import styles from "./Compliance.module.css";

const CLOCKS = "clocks";
const MONTHS = 6;
const TONES: Tone[] = ["accent", "good", "calm", "bad"];

/** Never rounded up to what was not reached. */
const share = (met: number, due: number) => Math.floor((met / due) * 1000) / 10;

export function Compliance() {
  const say = useSay();
  const hasClocks = useQuery(processes).data?.some((process) => process.collection === CLOCKS) ?? false;
  const periods = useMemo(() => Array.from({ length: MONTHS }, (_, index) => month(index - MONTHS + 1)), []);
  const months = useQueries({ queries: periods.map((period) => ({ ...compliance(period), enabled: hasClocks })) });
  if (!hasClocks) return null;
  const now = months.at(-1);
  const rows = (now?.data?.items ?? []).filter((row) => row.met + row.breached > 0);
  return (
    <div className={styles.both}>
      <section className={styles.card}>
        <h2>{say("overview.compliance")}</h2>
        <ProblemBox error={now?.error} />
        {now?.data && rows.length === 0 && <p className={styles.none}>{say("overview.noCompliance")}</p>}
        <ul className={styles.targets}>
          {rows.map((row) => (
            <li key={row.records}>
              <Link to="/$collection" params={{ collection: CLOCKS }} search={{ filter: row.records }}>
                <strong>{share(row.met, row.met + row.breached)} %</strong>
                <span>{spoken(row.target)}</span>
                <small>{[row.service, row.customer].filter((part) => part != null && part !== "").join(" · ")}</small>
                <small>{say("overview.kept", { met: row.met, due: row.met + row.breached })}</small>
              </Link>
            </li>
          ))}
        </ul>
      </section>
      <Months periods={periods} kept={months.map(({ data }) => data?.items)} />
    </div>
  );
}

/** The share of promises kept of each target, month by month. */
function Months({ periods, kept }: { periods: Period[]; kept: (Kept[] | undefined)[] }) {
  const { say, code } = useLanguage();
  const columns = useMemo(() => {
    const format = new Intl.DateTimeFormat(code, { month: "short", year: "2-digit", timeZone: "UTC" });
    return periods.map(({ from }) => format.format(new Date(from)));
  }, [periods, code]);
  // Answers come one by one: the chart is drawn anew for what they say, not for how often they come.
  const said = JSON.stringify(kept);
  const rows = useMemo((): Row[] => {
    const all = (JSON.parse(said) as (Kept[] | null)[]).map((items) => items ?? []);
    const targets = [...new Set(all.flat().filter((row) => row.met + row.breached > 0).map(({ target }) => target))];
    const figure = (target: string, index: number): Figure | null => {
      const period = periods[index];
      const mine = all[index]?.filter((row) => row.target === target) ?? [];
      const met = mine.reduce((sum, row) => sum + row.met, 0);
      const due = met + mine.reduce((sum, row) => sum + row.breached, 0);
      if (due === 0 || !period) return null;
      const filter = `record.target == '${target}' && record.due_at >= timestamp('${period.from}') && record.due_at < timestamp('${period.to}')`;
      return { value: share(met, due), filter };
    };
    return targets.slice(0, TONES.length).map((target, place) => ({
      name: spoken(target),
      tone: TONES[place] ?? "accent",
      figures: periods.map((_, index) => figure(target, index)),
    }));
  }, [said, periods]);
  if (rows.length === 0) return null;
  return <Chart title={say("overview.months")} kind="line" unit=" %" collection={CLOCKS} columns={columns} rows={rows} />;
}
