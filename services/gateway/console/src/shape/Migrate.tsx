/** Moving open records to another version: a look at what would become of them, then for good. */

import { Button, NativeSelect } from "@mantine/core";
import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { ask } from "../api/client";
import type { Process, RecordView } from "../api/model";
import { labelOf, stateLabel } from "../fields/words";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import { GuardedButton } from "../ui/GuardedButton";
import { ProblemBox } from "../ui/ProblemBox";
import { look, migration, text, versions, type Outlook, type Refused, type Wish } from "./queries";
import { renewed } from "./ShapePage";
import styles from "./Migrate.module.css";

/** Chosen for a field that nothing takes over. */
const LEFT = "";
const KEPT = "=";

type Mapping = { states: Record<string, string>; fields: Record<string, string | null> };

export function Migrate({ process, service }: { process: Process; service: string }) {
  const say = useSay();
  const client = useQueryClient();
  const found = useQuery(versions(process.process));
  const [mapping, setMapping] = useState<Mapping>({ states: {}, fields: {} });
  const [outlook, setOutlook] = useState<Outlook | null>(null);
  const [running, setRunning] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const old = (found.data?.items ?? []).filter((version) => !version.is_present && version.records.open > 0);
  const before = useBefore(process.process, old.map(({ version }) => version));
  const refusal = process.publish?.refused_because ?? null;
  const send = async (dryRun: boolean) => {
    setError(null);
    const wish: Wish = { to: process.version, from: old.map(({ version }) => version), ...mapping, dry_run: dryRun };
    try {
      if (dryRun) setOutlook(await ask<Outlook>(api.migrate(process.process), { method: "POST", body: wish }));
      else {
        const { number } = await ask<RecordView>(api.migrate(process.process), { method: "POST", body: wish });
        setOutlook(null);
        setRunning(number);
      }
    } catch (caught) {
      setError(caught);
    }
  };
  const count = old.reduce((sum, { records }) => sum + records.open, 0);
  const change = (next: Mapping) => {
    setMapping(next);
    setOutlook(null);
  };
  return (
    <>
      <ProblemBox error={found.error} />
      {found.data && old.length === 0 && <p className={styles.note}>{say("migrate.none", { version: process.version })}</p>}
      {old.length > 0 && (
        <section className={styles.card}>
          <h2>{say("migrate.title", { count, version: process.version })}</h2>
          <p className={styles.note}>{old.map(({ version, records }) => say("migrate.from", { version, count: records.open })).join(" · ")}</p>
          <Mappings process={process} before={before} mapping={mapping} onChange={change} />
          <div className={styles.actions}>
            <GuardedButton refusal={refusal} variant="default" onPress={() => void send(true)}>
              {say("migrate.look")}
            </GuardedButton>
            <GuardedButton refusal={refusal ?? (outlook ? null : say("migrate.lookFirst"))} onPress={() => void send(false)}>
              {say("migrate.go")}
            </GuardedButton>
          </div>
          <ProblemBox error={error} />
          {outlook && <Seen outlook={outlook} process={process} />}
        </section>
      )}
      {running !== null && <Running number={running} service={service} onEnd={() => void renewed(client, process.process)} process={process} />}
    </>
  );
}

/** The versions as they were: their texts, read by whoever reads drafts. */
function useBefore(name: string, numbers: number[]): Process[] {
  const texts = useQueries({ queries: numbers.map((version) => text(name, version)) });
  const looks = useQueries({ queries: texts.map(({ data }) => ({ ...look(name, data?.text ?? ""), enabled: data !== undefined })) });
  return looks.flatMap(({ data }) => data?.would_be ?? []);
}

type MappingsProps = { process: Process; before: Process[]; mapping: Mapping; onChange: (mapping: Mapping) => void };

/** What the version in force does not have is called something there, or left behind. */
function Mappings({ process, before, mapping, onChange }: MappingsProps) {
  const say = useSay();
  const states = [...new Set(before.flatMap(({ order }) => order))].filter((state) => !process.order.includes(state));
  const has = (name: string) => process.fields.some((field) => field.name === name);
  const fields = [...new Set(before.flatMap((one) => one.fields.map(({ name }) => name)))].filter((name) => !has(name));
  const was = before[0];
  const without = (map: Record<string, unknown>, name: string) => Object.fromEntries(Object.entries(map).filter(([known]) => known !== name));
  const setState = (state: string, to: string) =>
    onChange({ ...mapping, states: to === KEPT ? (without(mapping.states, state) as Mapping["states"]) : { ...mapping.states, [state]: to } });
  const setField = (field: string, to: string) =>
    onChange({ ...mapping, fields: to === KEPT ? (without(mapping.fields, field) as Mapping["fields"]) : { ...mapping.fields, [field]: to === LEFT ? null : to } });
  if (states.length + fields.length === 0) return null;
  const choose = { value: KEPT, label: say("form.choose") };
  return (
    <div className={styles.mappings}>
      {states.map((state) => (
        <NativeSelect
          key={state}
          label={say("migrate.state", { name: stateLabel(state, was) })}
          value={mapping.states[state] ?? KEPT}
          onChange={({ currentTarget }) => setState(state, currentTarget.value)}
          data={[choose, ...process.order.map((value) => ({ value, label: stateLabel(value, process) }))]}
        />
      ))}
      {fields.map((field) => (
        <NativeSelect
          key={field}
          label={say("migrate.field", { name: labelOf(field, was, say) })}
          value={field in mapping.fields ? (mapping.fields[field] ?? LEFT) : KEPT}
          onChange={({ currentTarget }) => setField(field, currentTarget.value)}
          data={[choose, { value: LEFT, label: say("migrate.leave") }, ...process.fields.map(({ name }) => ({ value: name, label: labelOf(name, process, say) }))]}
        />
      ))}
    </div>
  );
}

function Seen({ outlook, process }: { outlook: Outlook; process: Process }) {
  const say = useSay();
  return (
    <div role="status" className={styles.seen}>
      <p>
        <strong>{say("migrate.would", { moved: outlook.would_move, refused: outlook.would_refuse })}</strong>
        {!outlook.is_complete && ` ${say("migrate.incomplete")}`}
      </p>
      <RefusedList refused={outlook.refused} process={process} />
    </div>
  );
}

function RefusedList({ refused, process }: { refused: Refused[]; process: Process }) {
  return (
    <ul className={styles.refused}>
      {refused.map(({ number, state, because }) => (
        <li key={number}>
          <Link to="/$collection/$number" params={{ collection: process.collection, number }}>
            {number}
          </Link>{" "}
          <span>({stateLabel(state, process)})</span> {because.map(({ message }) => message).join("; ")}
        </li>
      ))}
    </ul>
  );
}

type RunningProps = { number: string; service: string; process: Process; onEnd: () => void };

function Running({ number, service, process, onEnd }: RunningProps) {
  const say = useSay();
  const record = useQuery(migration(service, number)).data;
  const isOver = record !== undefined && record.state !== "running";
  const [ended, setEnded] = useState(false);
  if (isOver && !ended) {
    setEnded(true);
    queueMicrotask(onEnd);
  }
  return (
    <section className={styles.card} role="status" aria-label={number}>
      <h2>{number}</h2>
      <p>
        {isOver
          ? say("migrate.finished", { standing: Number(record.data.standing ?? 0), refused: Number(record.data.refused ?? 0), version: process.version })
          : say("migrate.running")}
      </p>
      {isOver && <RefusedList refused={(record.data.because ?? []) as unknown as Refused[]} process={process} />}
      {!isOver && <Button size="xs" variant="default" loading aria-label={say("migrate.running")} />}
    </section>
  );
}
