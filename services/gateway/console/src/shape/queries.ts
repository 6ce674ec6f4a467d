/** Definitions, their versions, and what is told of a draft. */

import { queryOptions } from "@tanstack/react-query";
import { ask, read } from "../api/client";
import type { Field, Json, Page, Process, RecordView } from "../api/model";
import { api } from "../paths";
import type { FormatSchema } from "./format";

export type Flaw = { line: number; column: number; code: string; message: string };
/** What a draft says otherwise than the version in force. */
export type Change = { path: string; was: Json; is: Json };
export type Look = { is_sound: boolean; faults: Flaw[]; changes: Change[]; would_be: Process | null };

export type Version = {
  version: number;
  origin: string;
  published_at: string;
  is_present: boolean;
  ships: boolean;
  records: { open: number; closed: number };
};
export type Versions = { items: Version[]; present: number; shipped: number | null };

export type Wish = { to: number; from: number[]; states: Record<string, string>; fields: Record<string, string | null>; dry_run: boolean };
export type Refused = { number: string; version: number; state: string; because: { path: string; message: string }[] };
export type Outlook = { would_move: number; would_refuse: number; refused: Refused[]; is_complete: boolean };

type Told = Omit<Process, "fields"> & { form: Field[] };

export const formatSchema = queryOptions({
  queryKey: ["format"],
  queryFn: () => ask<FormatSchema>(api.definitionSchema),
  staleTime: Infinity,
});

export const versions = (process: string) =>
  queryOptions({ queryKey: ["versions", process], queryFn: () => ask<Versions>(api.versions(process)) });

/** The text of a version, with the tag by which publishing knows what was made from it. */
export const text = (process: string, version: number | "present") =>
  queryOptions({
    queryKey: ["versions", process, "text", version],
    queryFn: () => read(api.version(process, version)),
    staleTime: version === "present" ? 0 : Infinity,
  });

export const look = (process: string, draft: string) =>
  queryOptions({
    queryKey: ["look", process, draft],
    queryFn: async ({ signal }): Promise<Look> => {
      const told = await ask<Omit<Look, "would_be"> & { would_be: Told | null }>(api.check(process), { method: "POST", text: draft, signal });
      // What is no YAML at this moment differs as a whole, which tells nobody anything.
      const changes = told.changes.filter(({ path }) => path !== "");
      if (!told.would_be) return { ...told, changes, would_be: null };
      const { form, ...process_ } = told.would_be;
      return { ...told, changes, would_be: { ...process_, fields: form } };
    },
    staleTime: Infinity,
    gcTime: 60_000,
  });

/** What waits for somebody's approval, and what was decided, the latest first. */
export const publications = (service: string, process: string) =>
  queryOptions({
    queryKey: ["publications", service, process],
    queryFn: () => ask<Page>(api.publications(service), { query: { filter: `record.name == '${process}'`, sort: "-opened_at", limit: 20 } }),
  });

/** One of them, with what the reader may do about it. */
export const publication = (service: string, number: string) =>
  queryOptions({
    queryKey: ["publications", service, "one", number],
    queryFn: () => ask<RecordView>(api.publication(service, number)),
  });

export const migration = (service: string, number: string) =>
  queryOptions({
    queryKey: ["migration", service, number],
    queryFn: () => ask<RecordView>(api.migration(service, number)),
    refetchInterval: ({ state }) => (state.data?.state === "running" ? 500 : false),
  });
