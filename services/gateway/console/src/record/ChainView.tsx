/** All that a record is tied to, near and far and across services, as one picture. */

import dagre from "@dagrejs/dagre";
import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Chain, Process, RecordView } from "../api/model";
import { chain, process as processQuery, processes } from "../api/queries";
import { useRelationLabel } from "../fields/relations";
import { headline, spoken } from "../fields/words";
import { useSay } from "../i18n/words";
import { place } from "../paths";
import { ProblemBox } from "../ui/ProblemBox";
import { StateBadge } from "../ui/StateBadge";
import { curve, type Point } from "../diagram/curve";
import styles from "./ChainView.module.css";

/** A card, in pixels. */
const WIDTH = 230;
const HEIGHT = 84;

export function ChainView({ process, record }: { process: Process; record: RecordView }) {
  const say = useSay();
  const called = useRelationLabel(process);
  const { data, error } = useQuery(chain(process.collection, record.number));
  const drawn = useMemo(() => data && laidOut(data), [data]);
  if (error) return <ProblemBox error={error} />;
  if (!data || !drawn) return <Loader aria-label={say("common.loading")} />;
  if (data.records.length === 1) return <p className={styles.none}>{say("record.noLinks")}</p>;
  return (
    <>
      {data.unreachable.length > 0 && <p className={styles.none}>{say("chain.unreachable", { services: data.unreachable.map(spoken).join(", ") })}</p>}
      {!data.is_whole && data.unreachable.length === 0 && <p className={styles.none}>{say("chain.cut")}</p>}
      <div className={styles.frame} tabIndex={0} role="region" aria-label={say("record.chain")}>
        <div className={styles.canvas} style={{ width: drawn.width, height: drawn.height }}>
          <svg width={drawn.width} height={drawn.height} aria-hidden>
            {drawn.edges.map(({ key, points, relation }) => {
              const middle = points[Math.floor(points.length / 2)];
              return (
                <g key={key}>
                  <path className={styles.tie} d={curve(points)} />
                  {middle && (
                    <text className={styles.relation} x={middle.x} y={middle.y - 5} textAnchor="middle">
                      {called(relation)}
                    </text>
                  )}
                </g>
              );
            })}
          </svg>
          <ul>
            {drawn.nodes.map(({ x, y, member }) => (
              <li key={member.record.id} style={{ left: x - WIDTH / 2, top: y - HEIGHT / 2, width: WIDTH, height: HEIGHT }} data-first={member.distance === 0 || undefined}>
                <Member member={member} />
              </li>
            ))}
          </ul>
        </div>
      </div>
    </>
  );
}

type OneOf = Chain["records"][number];

function Member({ member: { record, links } }: { member: OneOf }) {
  const owner = useQuery(processes).data?.find((one) => one.process === record.process);
  const process = useQuery({ ...processQuery(record.process), enabled: owner !== undefined });
  const called = useRelationLabel(process.data);
  const ties = links.map(({ relation, to }) => `${called(relation)} ${to}`).join(", ");
  return (
    <Link to={place.record(owner?.collection ?? record.process, record.number)} className={styles.card} aria-description={ties}>
      <span className={styles.top}>
        <b>{record.number}</b>
        <StateBadge state={record.state} process={process.data} />
      </span>
      <span className={styles.title}>{headline(record)}</span>
      <small>{owner?.title}</small>
    </Link>
  );
}

/** From the nearest to the farthest; both ends of a tie name it, and one line is enough. */
function laidOut({ records }: Chain) {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 24, ranksep: 110, marginx: 12, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { record } of records) graph.setNode(record.number, { width: WIDTH, height: HEIGHT });
  const edges = new Map<string, { key: string; from: string; to: string; relation: string }>();
  for (const { record, links } of records) {
    for (const { relation, to } of links) {
      const pair = [record.number, to].toSorted().join(" ");
      if (edges.has(pair)) continue;
      edges.set(pair, { key: pair, from: record.number, to, relation });
      graph.setEdge(record.number, to);
    }
  }
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    nodes: records.map((member) => ({ member, ...(graph.node(member.record.number) as Point) })),
    edges: [...edges.values()].map((edge) => ({ ...edge, points: (graph.edge(edge.from, edge.to) as { points: Point[] }).points })),
  };
}
