/** The list as a file: all that match, not only what is shown. */

import { ActionIcon, Tooltip } from "@mantine/core";
import { Download } from "lucide-react";
import { useState } from "react";
import { ask } from "../api/client";
import type { Json, Page, Process, RecordView } from "../api/model";
import { isOwn, labelOf } from "../fields/words";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import type { ListSearch } from "../routes";
import { failure, notice } from "../ui/Notice";
import { csv } from "./csv";

/** More than this many is work for a program, with the API. */
const MOST = 20_000;
const PAGE = 500;

export function ExportButton({ process, columns, search }: { process: Process; columns: string[]; search: ListSearch }) {
  const say = useSay();
  const [count, setCount] = useState<number | null>(null);
  const run = async () => {
    const rows: RecordView[] = [];
    try {
      let cursor: string | undefined;
      do {
        setCount(rows.length);
        const query = { filter: search.filter, q: search.q, sort: search.sort, limit: PAGE, cursor };
        const page = await ask<Page>(api.collection(process.collection), { query });
        rows.push(...page.items);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined && rows.length < MOST);
      const value = (row: RecordView, name: string): Json | undefined => (isOwn(name) ? row[name] : row.data[name]);
      const text = csv(columns.map((name) => labelOf(name, process, say)), rows.map((row) => columns.map((name) => value(row, name))));
      save(`${process.collection}.csv`, text);
      notice(say("list.exported", { count: rows.length }));
    } catch (error) {
      failure(error);
    } finally {
      setCount(null);
    }
  };
  const label = count === null ? say("list.export") : say("list.exporting", { count });
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size="lg" aria-label={label} loading={count !== null} onClick={() => void run()}>
        <Download size={17} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

function save(name: string, text: string): void {
  // The mark tells spreadsheets that the text is UTF-8.
  const file = URL.createObjectURL(new Blob(["\uFEFF", text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = file;
  link.download = name;
  link.click();
  URL.revokeObjectURL(file);
}
