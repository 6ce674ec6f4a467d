/** A value of a field, as people read it. */

import { Link } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import type { Field, Json, Process, RecordView } from "../api/model";
import { processes, record } from "../api/queries";
import { useSay } from "../i18n/words";
import { place } from "../paths";
import { Moment } from "../ui/Moment";
import { StateBadge } from "../ui/StateBadge";
import { headline, isOwn, spoken } from "./words";
import styles from "./Value.module.css";

/** The number of a record: `INC0000042`. */
const NUMBER = /^(?:[a-z]+:)?([A-Z]{2,5})(\d{7,})$/;

/** A column of a record: what every record has, or a field of its data. */
export function ColumnValue({ name, record, process }: { name: string; record: RecordView; process: Process | undefined }) {
  if (isOwn(name)) {
    switch (name) {
      case "number":
        return <span className={styles.number}>{record.number}</span>;
      case "state":
        return <StateBadge state={record.state} process={process} />;
      case "opened_at":
      case "updated_at":
        return <Moment at={record[name]} />;
      case "closed_at":
        return record.closed_at === null ? null : <Moment at={record.closed_at ?? ""} />;
      case "opened_by":
        return <Reference value={record.opened_by} />;
    }
  }
  const field = process?.fields.find((known) => known.name === name);
  return <Value value={record.data[name] ?? null} field={field} />;
}

export function Value({ value, field }: { value: Json; field: Field | undefined }) {
  const say = useSay();
  if (value === null || value === "") return null;
  if (typeof value === "boolean") return <>{say(value ? "common.yes" : "common.no")}</>;
  if (Array.isArray(value)) return <Items items={value} field={field} />;
  if (typeof value === "object") return <Whole value={value} />;
  if (field?.name === "priority") return <Priority value={value} />;
  if (typeof value === "number") return <>{value}</>;
  const chosen = field?.choices?.find((choice) => choice.value === value);
  if (chosen?.title) return <span title={value}>{chosen.title}</span>;
  if (field && isMoment(field)) return <Moment at={value} />;
  if (NUMBER.test(value)) return <Reference value={value} />;
  if (field?.schema.enum) return <>{spoken(value)}</>;
  return <>{value}</>;
}

function isMoment(field: Field): boolean {
  return field.index === "time" || field.schema.format === "date-time";
}

function Items({ items, field }: { items: Json[]; field: Field | undefined }) {
  return (
    <ul className={styles.items}>
      {items.map((item, index) => (
        // Items of a list have no name of their own; it is shown whole and never reordered.
        <li key={index}>{typeof item === "object" ? <Whole value={item} /> : <Value value={item} field={field} />}</li>
      ))}
    </ul>
  );
}

function Whole({ value }: { value: Json }) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return <code className={styles.code}>{JSON.stringify(value)}</code>;
  }
  return (
    <dl className={styles.whole}>
      {Object.entries(value).map(([name, inner]) => (
        <div key={name}>
          <dt>{spoken(name)}</dt>
          <dd>{typeof inner === "object" ? <Whole value={inner} /> : <Value value={inner} field={undefined} />}</dd>
        </div>
      ))}
    </dl>
  );
}

function Priority({ value }: { value: string | number }) {
  return (
    <span className={styles.priority} data-priority={value}>
      P{value}
    </span>
  );
}

/** Another record, by what it is called; a number where it cannot be seen. */
export function Reference({ value }: { value: string }) {
  const [, prefix, digits] = NUMBER.exec(value) ?? [];
  const number = `${prefix}${digits}`;
  const known = useQuery(processes);
  const owner = known.data?.find((process) => process.prefix === prefix);
  const found = useQuery({ ...record(owner?.collection ?? "", number), enabled: owner !== undefined, staleTime: 60_000 });
  if (!owner) return <>{value === "key:administrator" ? spoken("administrator") : value}</>;
  return (
    <Link to={place.record(owner.collection, number)} className={styles.reference} title={number} onClick={(event) => event.stopPropagation()}>
      {found.data ? headline(found.data) : number}
    </Link>
  );
}
