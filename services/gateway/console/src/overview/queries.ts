/** What charts are drawn from. */

import { queryOptions } from "@tanstack/react-query";
import { ask } from "../api/client";
import { api } from "../paths";

/** How many records lie between two moments, and which. */
export type Span = { from: string; to: string; count: number; filter: string };
export type Series = { spans: Span[]; is_complete: boolean };
export type Flow = { steps: { from: string; to: string; count: number; filter: string }[]; records: number; is_complete: boolean };

/** One target's figures of a period, and which clocks are behind them. */
export type Kept = { kind: string; target: string; service: string | null; customer: string | null; met: number; breached: number; records: string };
export type Period = { from: string; to: string };

/** Charts are of days and weeks: they need not follow each event. */
const FRESH = { staleTime: 30_000, refetchInterval: 60_000 };

export const series = (process: string, of: string, edges: string[], filter?: string) =>
  queryOptions({
    queryKey: ["series", process, of, edges, filter],
    queryFn: ({ signal }) => ask<Series>(api.series(process), { query: { of, edges: edges.join(","), filter }, signal }),
    ...FRESH,
  });

export const flow = (process: string, since: string) =>
  queryOptions({
    queryKey: ["flow", process, since],
    queryFn: ({ signal }) => ask<Flow>(api.flow(process), { query: { since }, signal }),
    ...FRESH,
  });

export const compliance = (period: Period) =>
  queryOptions({
    queryKey: ["compliance", period],
    queryFn: ({ signal }) => ask<{ items: Kept[] }>(api.compliance, { query: { ...period }, signal }),
    ...FRESH,
  });

/** Periods begin and end with whole months of UTC: totals are kept by the quarter of an hour. */
export function month(by: number, now = new Date()): Period {
  const begin = (more: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + by + more, 1)).toISOString();
  return { from: begin(0), to: begin(1) };
}
