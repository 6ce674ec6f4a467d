/** Where the states of a process and the ways between them are drawn. */

import dagre from "@dagrejs/dagre";
import type { Process } from "../api/model";
import { stateLabel } from "../fields/words";
import type { Point } from "./curve";

export type Node = Point & { name: string; width: number };
export type Edge = { key: string; from: string; to: string; points: Point[]; labels: string[] };
export type Drawn = { nodes: Node[]; edges: Edge[]; width: number; height: number };

/** All in pixels; a letter is about this wide. */
const LETTER = 7.4;
export const HEIGHT = 36;

/** `new>assigned`: the way between two states, by whatever transition. */
export const wayOf = (from: string, to: string): string => `${from}>${to}`;

export function laidOut(process: Process, direction: "LR" | "TB" = "LR"): Drawn {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: direction, nodesep: 26, ranksep: direction === "LR" ? 60 : 44, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const name of process.order) {
    graph.setNode(name, { width: stateLabel(name, process).length * LETTER + 32, height: HEIGHT });
  }
  const ways = new Map<string, Omit<Edge, "points">>();
  for (const [from, transitions] of Object.entries(process.states)) {
    for (const { to, label } of transitions.filter((transition) => transition.to !== from)) {
      const key = wayOf(from, to);
      const known = ways.get(key) ?? { key, from, to, labels: [] };
      known.labels.push(label);
      ways.set(key, known);
      graph.setEdge(from, to);
    }
  }
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const nodes = graph.nodes().map((name) => ({ name, ...(graph.node(name) as Point & { width: number }) }));
  const edges = [...ways.values()].map((way) => ({ ...way, points: (graph.edge(way.from, way.to) as { points: Point[] }).points }));
  return { nodes, edges, width, height };
}
