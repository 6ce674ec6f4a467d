/** What links between records are called. */

import { useQuery } from "@tanstack/react-query";
import type { ProcessSummary } from "../api/model";
import { processes } from "../api/queries";
import { spoken } from "./words";

/** As the record's own process calls it; a link that another process made is called as that one says. */
export function relationLabel(relation: string, own: ProcessSummary | undefined, all: ProcessSummary[]): string {
  for (const tie of [...(own?.links ?? []), ...all.flatMap((process) => process.links)]) {
    if (tie.relation === relation) return tie.label;
    if (tie.inverse === relation) return tie.inverse_label;
  }
  return spoken(relation);
}

export function useRelationLabel(own: ProcessSummary | undefined): (relation: string) => string {
  const all = useQuery(processes).data ?? [];
  return (relation) => relationLabel(relation, own, all);
}
