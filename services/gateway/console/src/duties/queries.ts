/** What is owed: obligations that come back and debts, of all processes, the first due first. */

import { infiniteQueryOptions } from "@tanstack/react-query";
import { ask } from "../api/client";
import { api } from "../paths";

export type Duty = { kind: "obligation" | "debt"; name: string; label: string | null; owner: unknown; due_at: string | null; overdue: boolean };
export type Owing = {
  due_at: string;
  record: { id: string; number: string; process: string; called: string; state: string; title: string | null };
  duties: Duty[];
};
type Page = { items: Owing[]; next: string | null; unreachable: string[] };

const PAGE = 50;

export const duties = (before: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["duties", before],
    queryFn: ({ pageParam, signal }) => ask<Page>(api.duties, { query: { before, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page) => last.next ?? undefined,
    refetchInterval: 60_000,
  });
