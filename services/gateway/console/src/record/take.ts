/** Taking a step of a record, from wherever it is offered. */

import { useQueryClient } from "@tanstack/react-query";
import { ask, Problem } from "../api/client";
import type { CommandSchemas, Data, Offer, Process, RecordView } from "../api/model";
import { record as recordQuery } from "../api/queries";
import { isSame } from "../fields/same";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import { failure, notice } from "../ui/Notice";

/** A step that somebody has begun with, and what they gave by how they began. */
export type Taking = { offer: Offer; given: Data };

/** Whether a step asks for anything. */
function asks(schema: CommandSchemas | undefined, offer: Offer): boolean {
  return Object.keys(schema?.transitions[offer.name]?.properties ?? {}).length > 0;
}

/** What the record holds of what a step asks for; what steps alone fill (`readOnly`) is said anew each time. */
export function held(schema: CommandSchemas, process: Process, offer: Offer, record: RecordView): Data {
  const asked = Object.keys(schema.transitions[offer.name]?.properties ?? {});
  const isReadOnly = (name: string) => process.fields.find((field) => field.name === name)?.read_only ?? true;
  return Object.fromEntries(Object.entries(record.data).filter(([name, value]) => asked.includes(name) && !isReadOnly(name) && value !== null));
}

/** What is said beside what the record holds. What was there and was taken away is said to be empty, so that nothing stands in for it. */
export function beside(holds: Data, data: Data): Data {
  const said = Object.entries(data).filter(([name, value]) => !isSame(value, holds[name]));
  const removed = Object.keys(holds).filter((name) => data[name] === undefined);
  return Object.fromEntries([...said, ...removed.map((name): [string, string] => [name, ""])]);
}

/** Shows a record as it now is wherever it is shown, and says what was done. */
export function useDone(collection: string) {
  const client = useQueryClient();
  return async (next: RecordView, words: string) => {
    client.setQueryData(recordQuery(collection, next.number).queryKey, next);
    await client.invalidateQueries({ queryKey: ["record", collection, next.number] });
    void client.invalidateQueries({ queryKey: ["records"] });
    notice(words);
  };
}

/** Throws what went wrong; that somebody was quicker is said as a sentence, and what they did is shown. */
export function useStale(collection: string) {
  const say = useSay();
  const client = useQueryClient();
  return (number: string) =>
    (error: unknown): never => {
      if (error instanceof Problem && error.status === 412) {
        void client.invalidateQueries({ queryKey: ["record", collection, number] });
        throw new Problem({ status: 412, code: "stale", detail: say("record.stale", { number }), errors: [] });
      }
      throw error;
    };
}

/** Takes a step with what it asks for. */
export function useTake(collection: string) {
  const say = useSay();
  const done = useDone(collection);
  const stale = useStale(collection);
  return async (record: RecordView, offer: Offer, body: Data) => {
    const path = api.transition(collection, record.number, offer.name);
    const next = await ask<RecordView>(path, { method: "POST", body, rev: record.rev }).catch(stale(record.number));
    await done(next, say("record.done", { label: offer.label }));
  };
}

/** Begins a step: by a form where it asks for something, else it is taken at once. */
export function useBegin(process: Process, schema: CommandSchemas | undefined, form: (record: RecordView, taking: Taking) => void) {
  const take = useTake(process.collection);
  return (record: RecordView, offer: Offer, given: Data = {}) => {
    if (asks(schema, offer)) form(record, { offer, given });
    else void take(record, offer, {}).catch(failure);
  };
}
