/** What a record says of itself, in the order of its definition. */

import type { Process, RecordView } from "../api/model";
import { ColumnValue, Value } from "../fields/Value";
import { headlineField, labelOf, LEDGER } from "../fields/words";
import { useSay } from "../i18n/words";
import { Moment } from "../ui/Moment";
import styles from "./Card.module.css";

/** Longer texts stand under their name, not beside it. */
const LONG = 60;

export function Details({ process, record }: { process: Process; record: RecordView }) {
  const say = useSay();
  const headline = headlineField(process);
  const said = process.fields.filter(({ name }) => name !== headline && !LEDGER.includes(name) && isSaid(record, name));
  return (
    <section className={styles.card}>
      <h2>{say("record.details")}</h2>
      <dl className={styles.facts}>
        {said.map((field) => {
          const value = record.data[field.name] ?? null;
          const isLong = (typeof value === "string" && value.length > LONG) || (typeof value === "object" && value !== null);
          return (
            <div key={field.name} data-long={isLong || undefined}>
              <dt>{labelOf(field.name, process, say)}</dt>
              <dd>
                <Value value={value} field={field} />
              </dd>
            </div>
          );
        })}
        {(["opened_at", "updated_at", "closed_at"] as const).map((name) => {
          const at = record[name];
          return at ? (
            <div key={name}>
              <dt>{labelOf(name, process, say)}</dt>
              <dd>
                <Moment at={at} full />
              </dd>
            </div>
          ) : null;
        })}
        <div>
          <dt>{labelOf("opened_by", process, say)}</dt>
          <dd>
            <ColumnValue name="opened_by" record={record} process={process} />
          </dd>
        </div>
      </dl>
    </section>
  );
}

/** Counters that never counted say nothing. */
function isSaid(record: RecordView, name: string): boolean {
  const value = record.data[name];
  return value !== undefined && value !== null && value !== "" && value !== 0 && !(Array.isArray(value) && value.length === 0);
}
