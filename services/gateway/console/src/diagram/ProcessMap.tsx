/** A process as a map: its states, the ways between them, how much went along each, and what is new. */

import { Link } from "@tanstack/react-router";
import { useId, useMemo } from "react";
import type { Process } from "../api/model";
import { stateLabel } from "../fields/words";
import { useLanguage } from "../i18n/words";
import { toneOf } from "../ui/StateBadge";
import { curve, type Point } from "./curve";
import { HEIGHT, laidOut, wayOf, type Edge } from "./layout";
import styles from "./ProcessMap.module.css";

export type Passage = { count: number; filter: string };

type Props = {
  process: Process;
  /** What the picture shows, for who does not see it. */
  label: string;
  direction?: "LR" | "TB";
  /** How often each way was gone; ways that were not are drawn pale. */
  passages?: ReadonlyMap<string, Passage>;
  /** What the process was before: what it lacked is marked. */
  before?: Process | undefined;
};

const WIDEST = 9;

export function ProcessMap({ process, label, direction = "LR", passages, before }: Props) {
  const id = useId();
  const { nodes, edges, width, height } = useMemo(() => laidOut(process, direction), [process, direction]);
  const known = useMemo(() => (before ? waysOf(before) : null), [before]);
  const most = Math.max(1, ...[...(passages?.values() ?? [])].map(({ count }) => count));
  const kindOf = ({ key, labels }: Edge) => {
    const was = known?.get(key);
    if (known && (was === undefined || labels.some((one) => !was.includes(one)))) return "fresh";
    return passages && !passages.has(key) ? "pale" : "way";
  };
  return (
    <div className={styles.frame} tabIndex={0} role="region" aria-label={label}>
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role={passages ? "group" : "img"} aria-label={label}>
        <defs>
          {(["way", "pale", "fresh"] as const).map((kind) => (
            <marker key={kind} id={`${id}-${kind}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto-start-reverse">
              <path className={styles[`${kind}Tip`]} d="M0 0L8 4L0 8z" />
            </marker>
          ))}
        </defs>
        {edges.map((edge) => {
          const kind = kindOf(edge);
          const passage = passages?.get(edge.key);
          const strokeWidth = passage ? 1.5 + (passage.count / most) * (WIDEST - 1.5) : undefined;
          return (
            <path key={edge.key} className={styles[kind]} d={curve(edge.points)} strokeWidth={strokeWidth} markerEnd={`url(#${id}-${kind})`}>
              <title>{edge.labels.join(", ")}</title>
            </path>
          );
        })}
        {nodes.map(({ name, x, y, width: wide }) => (
          <g key={name} className={styles.state} data-tone={toneOf(name, process)} data-fresh={(before && !before.order.includes(name)) || undefined}>
            <rect x={x - wide / 2} y={y - HEIGHT / 2} width={wide} height={HEIGHT} rx={HEIGHT / 2} />
            <text x={x} y={y} textAnchor="middle" dominantBaseline="central">
              {stateLabel(name, process)}
            </text>
          </g>
        ))}
        {passages && edges.map((edge) => <Count key={edge.key} edge={edge} process={process} passage={passages.get(edge.key)} />)}
      </svg>
    </div>
  );
}

/** How often a way was gone; it opens the records that went it. */
function Count({ edge, process, passage }: { edge: Edge; process: Process; passage: Passage | undefined }) {
  const { code } = useLanguage();
  if (!passage) return null;
  const { x, y } = middle(edge.points);
  const text = new Intl.NumberFormat(code).format(passage.count);
  const wide = text.length * 7.5 + 14;
  const name = `${stateLabel(edge.from, process)} → ${stateLabel(edge.to, process)}: ${text}`;
  return (
    <Link className={styles.count} to="/$collection" params={{ collection: process.collection }} search={{ filter: passage.filter }} aria-label={name}>
      <rect x={x - wide / 2} y={y - 12} width={wide} height={24} rx={12} />
      <text x={x} y={y} textAnchor="middle" dominantBaseline="central">
        {text}
      </text>
    </Link>
  );
}

function middle(points: Point[]): Point {
  const at = (points.length - 1) / 2;
  const [one, other] = [points[Math.floor(at)], points[Math.ceil(at)]];
  if (!one || !other) return { x: 0, y: 0 };
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

/** What leads from each state to another. */
function waysOf(process: Process): Map<string, string[]> {
  const ways = new Map<string, string[]>();
  for (const [from, transitions] of Object.entries(process.states)) {
    for (const { to, label } of transitions) ways.set(wayOf(from, to), [...(ways.get(wayOf(from, to)) ?? []), label]);
  }
  return ways;
}
