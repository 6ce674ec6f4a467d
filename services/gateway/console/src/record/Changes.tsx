/** What a step changed: fields as before and after, and in words what the record keeps by itself. */

import type { Cast, Json, Process, Task } from "../api/model";
import { Reference, Value } from "../fields/Value";
import { labelOf, spoken } from "../fields/words";
import { useSay } from "../i18n/words";
import styles from "./Timeline.module.css";

export type Change = [string, [Json, Json]];

/** Kept by the engine for its rules; what of it people want to know, the event says. */
const SILENT = ["acted", "next_duty", "debts", "obligations"];

export function Changes({ changes, process }: { changes: Change[]; process: Process }) {
  const told = changes.filter(([name]) => !SILENT.includes(name));
  const fields = told.filter(([name]) => name !== "votes" && name !== "tasks");
  const kept = (name: string) => told.find(([known]) => known === name)?.[1];
  return (
    <>
      <Votes change={kept("votes")} process={process} />
      <Tasks change={kept("tasks")} />
      {fields.length > 0 && <Fields changes={fields} process={process} />}
    </>
  );
}

/** What is new or otherwise in a list than it was. */
function anew<T>(change: [Json, Json] | undefined): T[] {
  const [before, after] = (change ?? []).map((part) => (Array.isArray(part) ? part : []));
  const known = new Set(before?.map((item) => JSON.stringify(item)));
  return (after ?? []).filter((item) => !known.has(JSON.stringify(item))) as T[];
}

function Votes({ change, process }: { change: [Json, Json] | undefined; process: Process }) {
  const say = useSay();
  const all = Object.values(process.states).flat();
  return anew<Cast>(change).map((cast) => (
    <p key={`${cast.by}-${cast.transition}`} className={styles.kept}>
      {all.find((transition) => transition.name === cast.transition)?.label ?? spoken(cast.transition)}: <b>{say(`vote.${cast.vote}`)}</b>
    </p>
  ));
}

function Tasks({ change }: { change: [Json, Json] | undefined }) {
  const say = useSay();
  return anew<Task>(change).map((task) => (
    <p key={task.id} className={styles.kept}>
      {task.title}: <b>{say(`task.${task.state}`)}</b>
      {task.assignee !== undefined && (
        <>
          {" "}
          (<Reference value={task.assignee} />)
        </>
      )}
    </p>
  ));
}

function Fields({ changes, process }: { changes: Change[]; process: Process }) {
  const say = useSay();
  return (
    <dl className={styles.changes}>
      {changes.map(([name, [before, after]]) => {
        const field = process.fields.find((known) => known.name === name);
        return (
          <div key={name}>
            <dt>{labelOf(name, process, say)}</dt>
            <dd>
              {before !== null && (
                <>
                  <del>
                    <Value value={before} field={field} />
                  </del>{" "}
                </>
              )}
              <ins>{after === null ? say("record.empty") : <Value value={after} field={field} />}</ins>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
