/** What happens, as it happens: one connection for the whole console, resumed where it broke. */

import type { QueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { api } from "../paths";
import type { Page, RecordView } from "./model";

/** After a break the connection is tried again, ever less often, up to this many milliseconds. */
const LONGEST_PAUSE = 15_000;

type Heard = (record: RecordView, event: string) => void;
const hearers = new Set<Heard>();
let isLive = false;
const watchers = new Set<() => void>();

function setLive(live: boolean): void {
  if (live === isLive) return;
  isLive = live;
  for (const watcher of watchers) watcher();
}

/** Whether the connection stands at this moment. */
export function useIsLive(): boolean {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => isLive,
  );
}

/** Calls back for each event of a record. */
export function useHeard(heard: Heard): void {
  useEffect(() => {
    hearers.add(heard);
    return () => {
      hearers.delete(heard);
    };
  }, [heard]);
}

/** The connection itself, for as long as somebody is signed in. */
export function useLive(): void {
  const client = useQueryClient();
  const [stop] = useState(() => new AbortController());
  useEffect(() => {
    void follow(client, stop.signal);
    return () => stop.abort();
  }, [client, stop]);
}

async function follow(client: QueryClient, signal: AbortSignal): Promise<void> {
  let place = "";
  let pause = 500;
  while (!signal.aborted) {
    try {
      const headers = place === "" ? {} : { "last-event-id": place };
      const answer = await fetch(api.events, { headers, signal });
      if (answer.status === 401) return;
      if (answer.ok && answer.body) {
        setLive(true);
        pause = 500;
        for await (const event of parsed(answer.body)) {
          if (event.id !== "") place = event.id;
          if (event.data !== "") tell(client, event.data);
        }
      }
    } catch {
      // The network broke, or the page is closed: the loop's condition tells which.
    }
    setLive(false);
    if (signal.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** Server-Sent Events of a body: the fields of which we use (WHATWG HTML, 9.2). */
async function* parsed(body: ReadableStream<Uint8Array>): AsyncGenerator<{ id: string; data: string }> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let event = { id: "", data: "" };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        yield event;
        event = { id: "", data: "" };
      } else if (line.startsWith("id:")) event.id = line.slice(3).trim();
      else if (line.startsWith("data:")) event.data += line.slice(5).trim();
    }
  }
}

function tell(client: QueryClient, data: string): void {
  const { data: said } = JSON.parse(data) as { data: { record?: RecordView; event?: string } };
  if (!said.record) return;
  const { record, event } = { record: said.record, event: said.event ?? "" };
  refresh(client, record);
  for (const heard of hearers) heard(record, event);
}

const placeIn = (page: Page, record: RecordView): number => page.items.findIndex((item) => item.id === record.id && item.rev < record.rev);

function withRecord(page: Page, record: RecordView): Page {
  const index = placeIn(page, record);
  return index < 0 ? page : { ...page, items: page.items.with(index, record) };
}

/** Lists show the record as it now is, where it stood; pages of the record itself are read anew. */
export function refresh(client: QueryClient, record: RecordView): void {
  for (const query of client.getQueryCache().findAll({ queryKey: ["records"] })) {
    const known = query.state.data as InfiniteData<Page> | Page | undefined;
    if (!known || !("pages" in known ? known.pages : [known]).some((page) => placeIn(page, record) >= 0)) continue;
    const { dataUpdatedAt, isInvalidated } = query.state;
    const next = "pages" in known ? { ...known, pages: known.pages.map((page) => withRecord(page, record)) } : withRecord(known, record);
    // One row is news; the list as a whole is as old as it was.
    client.setQueryData(query.queryKey, next, { updatedAt: dataUpdatedAt });
    if (isInvalidated) query.invalidate();
  }
  void client.invalidateQueries({
    predicate: ({ queryKey, state }) =>
      queryKey[0] === "record" && (state.data as RecordView | undefined)?.id === record.id,
  });
  void client.invalidateQueries({
    predicate: ({ queryKey }) => queryKey[0] === "record" && queryKey[2] === record.number && queryKey.length > 3,
  });
  void client.invalidateQueries({ queryKey: ["counts", record.process] });
}
