/** A value of a field, as people read it. */

import { Link } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import type { Choice, Field, Json, Process, RecordView } from "../api/model";
import { processes, record } from "../api/queries";
import { useSay } from "../i18n/words";
import { place } from "../paths";
import { Moment } from "../ui/Moment";
import { StateBadge } from "../ui/StateBadge";
import { choiceLabel, headline, isOwn, spoken } from "./words";
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

type ValueProps = {
  value: Json;
  field: Field | undefined;
  /** What it is one of, where it is a part of a field. */
  choices?: Choice[] | undefined;
};

export function Value({ value, field, choices = field?.choices }: ValueProps) {
  const say = useSay();
  if (value === null || value === "") return null;
  if (typeof value === "boolean") return <>{say(value ? "common.yes" : "common.no")}</>;
  if (Array.isArray(value)) return <Items items={value} field={field} />;
  if (typeof value === "object") return <Whole value={value} field={field} />;
  if (field?.name === "priority") return <Priority value={value} />;
  const chosen = choiceLabel(value, choices);
  if (chosen !== undefined) return <span title={String(value)}>{chosen}</span>;
  if (typeof value === "number") return <>{value}</>;
  if (field && isMoment(field)) return <Moment at={value} />;
  if (NUMBER.test(value)) return <Reference value={value} />;
  return <>{value}</>;
}

function isMoment(field: Field): boolean {
  return field.index === "time" || field.schema.format === "date-time";
}

/** A list; `path` is where within its field it stands. */
function Items({ items, field, path = [] }: { items: Json[]; field: Field | undefined; path?: string[] }) {
  const about = path.length === 0 ? { field } : { field: undefined, choices: field?.parts?.[path.join(".")]?.choices };
  return (
    <ul className={styles.items}>
      {items.map((item, index) => (
        // Items of a list have no name of their own; it is shown whole and never reordered.
        <li key={index}>{typeof item === "object" ? <Whole value={item} field={field} path={path} /> : <Value value={item} {...about} />}</li>
      ))}
    </ul>
  );
}

/** A value that has parts; `path` is where within its field it stands. */
function Whole({ value, field, path = [] }: { value: Json; field: Field | undefined; path?: string[] }) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return <code className={styles.code}>{JSON.stringify(value)}</code>;
  }
  return (
    <dl className={styles.whole}>
      {Object.entries(value).map(([name, inner]) => {
        const place = [...path, name];
        return (
          <div key={name}>
            <dt>{field?.parts?.[place.join(".")]?.label ?? spoken(name)}</dt>
            <dd>
              <Part value={inner} field={field} path={place} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function Part({ value, field, path }: { value: Json; field: Field | undefined; path: string[] }) {
  if (Array.isArray(value)) return <Items items={value} field={field} path={path} />;
  if (typeof value === "object") return <Whole value={value} field={field} path={path} />;
  return <Value value={value} field={undefined} choices={field?.parts?.[path.join(".")]?.choices} />;
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
