/** What is planned in a stretch of time: records of every process that has a window. */

import { useQueries, useQuery } from "@tanstack/react-query";
import type { Process, ProcessSummary, RecordView } from "../api/model";
import { process as processQuery, processes, some } from "../api/queries";

/** A calendar with more than this on a page is a list. */
const MOST = 500;

export type Planned = { record: RecordView; process: Process | undefined; from: string; to: string };

export type Plan = { processes: ProcessSummary[]; planned: Planned[]; isCut: boolean; error: unknown };

export function usePlan(from: Date, to: Date): Plan {
  const known = useQuery(processes);
  const windowed = (known.data ?? []).filter((summary) => summary.window !== null);
  const details = useQueries({ queries: windowed.map(({ process }) => processQuery(process)) });
  const pages = useQueries({
    queries: windowed.map(({ collection, window }) => {
      const filter = `record.${window}.from < '${to.toISOString()}' && record.${window}.to >= '${from.toISOString()}'`;
      return some(collection, { filter, sort: `${window}.from` }, MOST);
    }),
  });
  const planned = windowed.flatMap(({ window }, index) =>
    (pages[index]?.data?.items ?? []).flatMap((record): Planned[] => {
      const span = window === null ? null : record.data[window];
      if (typeof span !== "object" || span === null || Array.isArray(span)) return [];
      return [{ record, process: details[index]?.data, from: String(span.from), to: String(span.to) }];
    }),
  );
  const error = known.error ?? pages.find((page) => page.error)?.error ?? null;
  return { processes: windowed, planned, isCut: pages.some((page) => page.data?.next != null), error };
}
