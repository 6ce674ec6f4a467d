/** The states of a process and the ways between them; a record's own way is drawn strong. */

import { useId, useMemo } from "react";
import type { Process } from "../api/model";
import { curve } from "../diagram/curve";
import { HEIGHT, laidOut, wayOf } from "../diagram/layout";
import { stateLabel } from "../fields/words";
import { useSay } from "../i18n/words";
import { toneOf } from "../ui/StateBadge";
import styles from "./Diagram.module.css";

type Step = { from: string | null; to: string };
type Props = { process: Process; state: string; steps: Step[] };

export function Diagram({ process, state, steps }: Props) {
  const say = useSay();
  const id = useId();
  const { nodes, edges, width, height } = useMemo(() => laidOut(process), [process]);
  const visited = new Set(steps.map((step) => step.to));
  const taken = new Set(steps.map((step) => wayOf(step.from ?? "", step.to)));
  const path = steps.filter((step) => step.from !== step.to).map((step) => stateLabel(step.to, process)).join(" → ");
  return (
    <div className={styles.frame} tabIndex={0} role="region" aria-label={say("record.diagram")}>
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={say("record.path", { path })}>
        <defs>
          {(["way", "taken"] as const).map((kind) => (
            <marker key={kind} id={`${id}-${kind}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
              <path className={styles[`${kind}Tip`]} d="M0 0L8 4L0 8z" />
            </marker>
          ))}
        </defs>
        {edges.map(({ key, points, labels }) => {
          const kind = taken.has(key) ? "taken" : "way";
          return (
            <path key={key} className={styles[kind]} d={curve(points)} markerEnd={`url(#${id}-${kind})`}>
              <title>{labels.join(", ")}</title>
            </path>
          );
        })}
        {nodes.map(({ name, x, y, width }) => (
          <g key={name} className={styles.state} data-tone={toneOf(name, process)} data-visited={visited.has(name) || undefined} data-here={name === state || undefined}>
            <rect x={x - width / 2} y={y - HEIGHT / 2} width={width} height={HEIGHT} rx={HEIGHT / 2} />
            <text x={x} y={y} textAnchor="middle" dominantBaseline="central">
              {stateLabel(name, process)}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}
