/** What pages read, each under the key by which it is refreshed. */

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api } from "../paths";
import { ask, Problem } from "./client";
import type { Attachment, Chain, CommandSchemas, Entry, Explanation, Field, Page, Process, ProcessSummary, RecordView, Service, Tie, Who } from "./model";

/** Records of a page; the first is on screen sooner when it is short. */
const PAGE = 50;

export type Query = { filter?: string; q?: string; sort?: string };

export const whoami = queryOptions({
  queryKey: ["session"],
  queryFn: async () => {
    try {
      return await ask<Who>(api.session);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: Infinity,
});

export const processes = queryOptions({
  queryKey: ["processes"],
  queryFn: async () => {
    const { items } = await ask<{ items: ProcessSummary[] }>(api.processes);
    return items.toSorted((one, other) => one.title.localeCompare(other.title));
  },
  staleTime: 5 * 60_000,
});

export const process = (name: string) =>
  queryOptions({
    queryKey: ["process", name],
    queryFn: async () => {
      const { form, ...told } = await ask<Omit<Process, "fields"> & { form: Field[] }>(api.process(name));
      return { ...told, fields: form };
    },
    staleTime: 60_000,
  });

export const schemas = (name: string) =>
  queryOptions({
    queryKey: ["schemas", name],
    queryFn: () => ask<CommandSchemas>(api.schema(name)),
    staleTime: 60_000,
  });

export const counts = (name: string) =>
  queryOptions({
    queryKey: ["counts", name],
    queryFn: () => ask<{ states: { [state: string]: number } }>(api.counts(name)),
  });

export const records = (collection: string, query: Query) =>
  infiniteQueryOptions({
    queryKey: ["records", collection, query],
    queryFn: ({ pageParam, signal }) =>
      ask<Page>(api.collection(collection), { query: { ...query, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page) => last.next ?? undefined,
    retry: false,
  });

export const some = (collection: string, query: Query, limit: number) =>
  queryOptions({
    queryKey: ["records", collection, query, limit],
    queryFn: ({ signal }) => ask<Page>(api.collection(collection), { query: { ...query, limit }, signal }),
    retry: false,
  });

export const record = (collection: string, number: string) =>
  queryOptions({
    queryKey: ["record", collection, number],
    queryFn: () => ask<RecordView>(api.record(collection, number)),
    retry: false,
  });

export const history = (collection: string, number: string) =>
  queryOptions({
    queryKey: ["record", collection, number, "history"],
    queryFn: async () => {
      const entries: Entry[] = [];
      let cursor: string | null | undefined;
      do {
        const query = { limit: 500, cursor: cursor ?? undefined };
        const page = await ask<{ items: Entry[]; next: string | null }>(
          api.more(collection, number, "history"),
          { query },
        );
        entries.push(...page.items);
        cursor = page.next;
      } while (cursor);
      return entries;
    },
  });

export const links = (collection: string, number: string) =>
  queryOptions({
    queryKey: ["record", collection, number, "links"],
    queryFn: async () => (await ask<{ items: Tie[] }>(api.more(collection, number, "links"))).items,
  });

export const attachments = (collection: string, number: string) =>
  queryOptions({
    queryKey: ["record", collection, number, "attachments"],
    queryFn: async () => (await ask<{ items: Attachment[] }>(api.more(collection, number, "attachments"))).items,
  });

export const chain = (collection: string, number: string) =>
  queryOptions({
    queryKey: ["record", collection, number, "chain"],
    queryFn: () => ask<Chain>(api.chain(number)),
  });

export const catalogue = queryOptions({
  queryKey: ["catalogue"],
  queryFn: async () => (await ask<{ items: Service[] }>(api.catalogue)).items,
  staleTime: 60_000,
});

export const explanation = (number: string) =>
  queryOptions({
    queryKey: ["record", "clocks", number, "explain"],
    queryFn: () => ask<Explanation>(api.more("clocks", number, "explain")),
  });
