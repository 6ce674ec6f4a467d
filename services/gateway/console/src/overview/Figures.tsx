/** One process in figures: what came and went, how old the open work is, how it flows. */

import { NativeSelect, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Process, ProcessSummary } from "../api/model";
import { process as processQuery } from "../api/queries";
import { Chart, type Row } from "../charts/Chart";
import { ProcessMap, type Passage } from "../diagram/ProcessMap";
import { wayOf } from "../diagram/layout";
import { useLanguage, useSay } from "../i18n/words";
import { usePinned } from "../shell/remembered";
import { ProblemBox } from "../ui/ProblemBox";
import { flow, series } from "./queries";
import { called, edges, type Step } from "./spans";
import styles from "./Figures.module.css";

const route = getRouteApi("/");
const STEPS = ["day", "week", "month"] as const;
/** The bounds between the ages of open work, in days. */
const AGES = [30, 14, 7, 3, 1];

export function Figures({ summaries }: { summaries: ProcessSummary[] }) {
  const say = useSay();
  const { of, by = "day" } = route.useSearch();
  const navigate = route.useNavigate();
  const [pinned] = usePinned();
  const usual = summaries.find(({ collection }) => pinned.includes(collection)) ?? summaries[0];
  const chosen = summaries.find(({ process }) => process === of) ?? usual;
  const process = useQuery({ ...processQuery(chosen?.process ?? ""), enabled: chosen !== undefined });
  return (
    <>
      <div className={styles.head}>
        <h2>{say("figures.title")}</h2>
        <NativeSelect
          size="sm"
          aria-label={say("figures.process")}
          value={chosen?.process ?? ""}
          onChange={({ currentTarget }) => void navigate({ search: (before) => ({ ...before, of: currentTarget.value }), replace: true })}
          data={summaries.map(({ process: value, title: label }) => ({ value, label }))}
        />
        <SegmentedControl
          size="xs"
          aria-label={say("figures.by")}
          value={by}
          onChange={(value) => void navigate({ search: (before) => ({ ...before, by: value as Step }), replace: true })}
          data={STEPS.map((value) => ({ value, label: say(`figures.${value}`) }))}
        />
      </div>
      <ProblemBox error={process.error} />
      {process.data && (
        <div className={styles.charts}>
          <Volumes process={process.data} by={by} />
          <Ages process={process.data} />
          <Passages process={process.data} by={by} />
        </div>
      )}
    </>
  );
}

/** The moments are those of when the page was opened: a chart that moves on with every second says nothing more. */
function useEdges(by: Step): Date[] {
  return useMemo(() => edges(by, new Date()), [by]);
}

function Volumes({ process, by }: { process: Process; by: Step }) {
  const { say, code } = useLanguage();
  const ends = useEdges(by);
  const moments = ends.map((end) => end.toISOString());
  const opened = useQuery(series(process.process, "opened_at", moments));
  const closed = useQuery(series(process.process, "closed_at", moments));
  const columns = useMemo(() => ends.slice(0, -1).map((begin) => called(by, begin, code)), [ends, by, code]);
  const [came, went] = [say("figures.opened"), say("figures.closed")];
  const rows = useMemo((): Row[] => {
    const figures = (spans = opened.data?.spans) => spans?.map(({ count, filter }) => ({ value: count, filter })) ?? [];
    return [
      { name: came, tone: "accent", figures: figures() },
      { name: went, tone: "calm", figures: figures(closed.data?.spans ?? []) },
    ];
  }, [came, went, opened.data, closed.data]);
  const isComplete = (opened.data?.is_complete ?? true) && (closed.data?.is_complete ?? true);
  return (
    <Chart
      title={say("figures.volumes")}
      note={<Note error={opened.error ?? closed.error} text={isComplete ? null : say("figures.latest")} />}
      collection={process.collection}
      columns={columns}
      rows={rows}
    />
  );
}

function Ages({ process }: { process: Process }) {
  const say = useSay();
  const open = Object.entries(process.states).filter(([, transitions]) => transitions.length > 0);
  const filter = `record.state in [${open.map(([state]) => `'${state}'`).join(", ")}]`;
  const moments = useMemo(() => {
    const now = Date.now();
    const before = (days: number) => new Date(now - days * 86_400_000).toISOString();
    // What is opened while somebody looks belongs to the youngest.
    return [new Date(0).toISOString(), ...AGES.map(before), before(-1)];
  }, []);
  const found = useQuery(series(process.process, "opened_at", moments, filter));
  const columns = useMemo(() => {
    const between = AGES.slice(1).map((to, index) => say("figures.between", { from: to, to: AGES[index] ?? to }));
    return [say("figures.over", { days: AGES[0] ?? 0 }), ...between, say("figures.today")];
  }, [say]);
  const name = say("figures.backlog");
  const rows = useMemo((): Row[] => {
    const figures = found.data?.spans.map(({ count, filter: which }) => ({ value: count, filter: which })) ?? [];
    return [{ name, tone: "accent", figures }];
  }, [name, found.data]);
  const note = <Note error={found.error} text={found.data?.is_complete === false ? say("figures.latest") : null} />;
  return <Chart title={name} note={note} collection={process.collection} columns={columns} rows={rows} />;
}

function Passages({ process, by }: { process: Process; by: Step }) {
  const say = useSay();
  const [since] = useEdges(by);
  const found = useQuery(flow(process.process, (since ?? new Date()).toISOString()));
  const passages = useMemo(() => {
    const steps = found.data?.steps ?? [];
    return new Map(steps.map(({ from, to, count, filter }): [string, Passage] => [wayOf(from, to), { count, filter }]));
  }, [found.data]);
  const note = found.data?.is_complete === false ? say("figures.lastChanged", { count: found.data.records }) : null;
  return (
    <section className={styles.flow} aria-label={say("figures.flow")}>
      <h3>{say("figures.flow")}</h3>
      <Note error={found.error} text={note} />
      <ProcessMap process={process} label={say("figures.flow")} passages={passages} />
    </section>
  );
}

function Note({ error, text }: { error: unknown; text: string | null }) {
  return (
    <>
      <ProblemBox error={error} />
      {text !== null && <p className={styles.note}>{text}</p>}
    </>
  );
}
