/** A state, in a colour that tells where in the life of a record it is. */

import type { Process } from "../api/model";
import { stateLabel } from "../fields/words";
import styles from "./StateBadge.module.css";

const HUES = 5;

/** Where records start, where they end, and a hue each for what is between. */
export function toneOf(state: string, process: Process | undefined): string {
  if (!process) return "ended";
  // Where conditions decide between several, the first is where most begin.
  const [start] = process.starts;
  if (state === start) return "start";
  const transitions = process.states[state] ?? [];
  if (transitions.length === 0) return "ended";
  const between = process.order.filter(
    (name) => name !== start && (process.states[name] ?? []).length > 0,
  );
  return `between${between.indexOf(state) % HUES}`;
}

export function StateBadge({ state, process }: { state: string; process: Process | undefined }) {
  return (
    <span className={styles.badge} data-tone={toneOf(state, process)}>
      {stateLabel(state, process)}
    </span>
  );
}
