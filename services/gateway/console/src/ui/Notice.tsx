/** Short words about what was just done, said to everybody and then gone. */

import { CheckCircle2, CircleAlert, X } from "lucide-react";
import { useSyncExternalStore } from "react";
import { useSay } from "../i18n/words";
import styles from "./Notice.module.css";

type Said = { id: number; text: string; kind: "done" | "failed" };

/** Good news goes by itself; what failed stays until it was read. */
const LASTS_MS = 5000;
let all: Said[] = [];
let last = 0;
const watchers = new Set<() => void>();

function replace(next: Said[]): void {
  all = next;
  for (const watcher of watchers) watcher();
}

const drop = (id: number) => replace(all.filter((said) => said.id !== id));

export function notice(text: string, kind: Said["kind"] = "done"): void {
  last += 1;
  const id = last;
  replace([...all.slice(-2), { id, text, kind }]);
  if (kind === "done") setTimeout(() => drop(id), LASTS_MS);
}

/** Says what went wrong, where no form is open that could. */
export function failure(error: unknown): void {
  notice(error instanceof Error ? error.message : String(error), "failed");
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function Notices() {
  const say = useSay();
  const shown = useSyncExternalStore(watch, () => all);
  return (
    <div className={styles.all} role="status" aria-live="polite">
      {shown.map(({ id, text, kind }) => (
        <div key={id} className={styles.one} data-kind={kind}>
          {kind === "done" ? <CheckCircle2 size={18} aria-hidden /> : <CircleAlert size={18} aria-hidden />}
          <span>{text}</span>
          <button type="button" aria-label={say("common.close")} onClick={() => drop(id)}>
            <X size={16} aria-hidden />
          </button>
        </div>
      ))}
    </div>
  );
}
