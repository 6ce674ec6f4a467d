/** The list: rows that stay where they are while they change, and more of them on demand. */

import { Button, Checkbox, Loader } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ArrowDown, ArrowUp, RefreshCw } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useHeard } from "../api/live";
import type { Process, RecordView } from "../api/model";
import { records } from "../api/queries";
import { ColumnValue } from "../fields/Value";
import { labelOf } from "../fields/words";
import { useSay } from "../i18n/words";
import { place } from "../paths";
import type { ListSearch } from "../routes";
import { useKeys } from "../shell/keys";
import { ProblemBox } from "../ui/ProblemBox";
import { BulkBar } from "./BulkBar";
import { Cell, type Editing } from "./Cell";
import { CellDialog, needsRoom } from "./CellDialog";
import { indexed } from "./filter";
import { isOfFilter } from "./FilterBar";
import type { Change } from "./ListPage";
import styles from "./RecordTable.module.css";

type Props = { process: Process; columns: string[]; search: ListSearch; onChange: Change };

export function RecordTable({ process, columns, search, onChange }: Props) {
  const say = useSay();
  const navigate = useNavigate();
  const query = { filter: search.filter, q: search.q, sort: search.sort };
  const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
  const list = useInfiniteQuery(records(process.collection, given));
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [editing, setEditing] = useState<Editing | null>(null);
  const newer = useNewer(process.process, rows);
  const body = useRef<HTMLTableSectionElement>(null);

  const select = useCallback((id: string) => {
    setSelected((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  }, []);
  useKeys(useRowKeys(body, select, (record, hash) => navigate({ to: place.record(process.collection, record), ...(hash !== undefined && { hash }) })));

  const reload = () => {
    newer.clear();
    void list.refetch();
  };
  const chosen = rows.filter((row) => selected.has(row.id));
  const isSortable = indexed(process);
  return (
    <>
      {newer.count > 0 && (
        <Button className={styles.newer} size="compact-sm" variant="light" leftSection={<RefreshCw size={14} aria-hidden />} onClick={reload}>
          {say("list.newer", { count: newer.count })}
        </Button>
      )}
      {chosen.length > 0 && <BulkBar process={process} records={chosen} onClear={() => setSelected(new Set())} onDone={reload} />}
      <ProblemBox error={isOfFilter(list.error) ? null : list.error} />
      {/* Wide tables scroll by themselves; with the keyboard, too. */}
      <div className={styles.frame} tabIndex={0} role="region" aria-label={process.title}>
        <table className={styles.table} aria-busy={list.isPending}>
          <thead>
            <tr>
              <th className={styles.check}>
                <Checkbox
                  size="xs"
                  aria-label={say("list.selectAll")}
                  checked={chosen.length > 0 && chosen.length === rows.length}
                  indeterminate={chosen.length > 0 && chosen.length < rows.length}
                  onChange={(event) => setSelected(new Set(event.currentTarget.checked ? rows.map((row) => row.id) : []))}
                />
              </th>
              {columns.map((name) => (
                <Head key={name} name={name} label={labelOf(name, process, say)} sort={search.sort ?? "-updated_at"} isSortable={isSortable.has(name)} onSort={(sort) => onChange({ sort, group: undefined })} />
              ))}
            </tr>
          </thead>
          <tbody ref={body} onKeyDown={across}>
            {rows.map((row, index) => (
              <Rows key={row.id} before={rows[index - 1]} row={row} process={process} columns={columns} group={search.group} isSelected={selected.has(row.id)} onSelect={select} editing={editing} onEdit={setEditing} />
            ))}
          </tbody>
        </table>
        {list.isPending && !list.error && (
          <div className={styles.wait}>
            <Loader size="sm" aria-label={say("common.loading")} />
          </div>
        )}
        {!list.isPending && rows.length === 0 && !list.error && (
          <div className={styles.empty}>
            <strong>{say("list.empty")}</strong>
            <p>{say("list.emptyHelp")}</p>
          </div>
        )}
      </div>
      <div className={styles.foot}>
        <span aria-live="polite">{say("list.loaded", { count: rows.length })}</span>
        {list.hasNextPage && <More isBusy={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />}
      </div>
      {editing && isLarge(process, editing.field) && (
        <CellDialog process={process} record={editing.record} field={editing.field} onClose={() => setEditing(null)} />
      )}
    </>
  );
}

/** How many records changed that the list does not show as it would if it were read now. */
function useNewer(process: string, rows: RecordView[]) {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const shown = useRef(new Set<string>());
  useEffect(() => {
    shown.current = new Set(rows.map((row) => row.id));
  }, [rows]);
  useHeard(
    useCallback(
      (record) => {
        // A row that is shown changes where it stands; only others are news.
        if (record.process === process && !shown.current.has(record.id)) setIds((before) => new Set(before).add(record.id));
      },
      [process],
    ),
  );
  return { count: ids.size, clear: () => setIds(new Set()) };
}

function isLarge(process: Process, name: string): boolean {
  return process.fields.some((field) => field.name === name && needsRoom(field));
}

/** Where a row is written in first: at its headline, where that may be. */
function editOf(row: HTMLTableRowElement | null): HTMLElement | null | undefined {
  return row?.querySelector<HTMLElement>('[data-edit="first"]') ?? row?.querySelector<HTMLElement>("[data-edit]");
}

/** Within a row: the arrows go along what may be changed, F2 changes it. */
function across(event: React.KeyboardEvent): void {
  const row = (event.target as HTMLElement).closest("tr");
  const cells = [...(row?.querySelectorAll<HTMLElement>("[data-edit]") ?? [])];
  const at = cells.findIndex((cell) => cell === event.target);
  if (event.key === "F2") (cells[at] ?? editOf(row))?.click();
  else if (event.key === "ArrowRight") (cells[at + 1] ?? cells[at])?.focus();
  else if (event.key === "ArrowLeft") (cells[at - 1] ?? row)?.focus();
  else return;
  event.preventDefault();
}

/** `j` and `k` go down and up, Enter opens, `x` selects, `e` edits the headline, `a` assigns. */
function useRowKeys(body: React.RefObject<HTMLTableSectionElement | null>, select: (id: string) => void, open: (number: string, hash?: string) => void) {
  return useMemo(() => {
    const rows = () => [...(body.current?.querySelectorAll<HTMLTableRowElement>("tr[data-id]") ?? [])];
    const current = () => document.activeElement?.closest<HTMLTableRowElement>("tr[data-id]") ?? null;
    const step = (by: number) => () => {
      const all = rows();
      const now = current();
      const next = all[now ? Math.min(Math.max(all.indexOf(now) + by, 0), all.length - 1) : 0];
      next?.focus();
      next?.scrollIntoView({ block: "nearest" });
    };
    return {
      j: step(1),
      k: step(-1),
      x: () => {
        const id = current()?.dataset.id;
        if (id) select(id);
      },
      e: () => editOf(current())?.click(),
      a: () => {
        const number = current()?.dataset.number;
        if (number) open(number, "assign");
      },
      Enter: (event: KeyboardEvent) => {
        const row = current();
        if (row?.dataset.number && event.target === row) open(row.dataset.number);
        else if (event.target instanceof HTMLElement && event.target !== row) event.target.click();
      },
    };
  }, [body, select, open]);
}

function Head({ name, label, sort, isSortable, onSort }: { name: string; label: string; sort: string; isSortable: boolean; onSort: (sort: string) => void }) {
  const say = useSay();
  const falls = sort === `-${name}`;
  const rises = sort === name;
  if (!isSortable) return <th scope="col">{label}</th>;
  return (
    <th scope="col" aria-sort={falls ? "descending" : rises ? "ascending" : "none"}>
      <button type="button" className={styles.sort} title={say("list.sortBy", { name: label })} onClick={() => onSort(rises ? `-${name}` : name)}>
        {label}
        {falls && <ArrowDown size={13} aria-hidden />}
        {rises && <ArrowUp size={13} aria-hidden />}
      </button>
    </th>
  );
}

type RowProps = {
  before: RecordView | undefined;
  row: RecordView;
  process: Process;
  columns: string[];
  group: string | undefined;
  isSelected: boolean;
  onSelect: (id: string) => void;
  editing: Editing | null;
  onEdit: (editing: Editing | null) => void;
};

function Rows({ before, row, process, columns, group, isSelected, onSelect, editing, onEdit }: RowProps) {
  const say = useSay();
  const groupOf = (record: RecordView) => (group === "state" ? record.state : record.data[group ?? ""]);
  const isNewGroup = group !== undefined && (before === undefined || groupOf(before) !== groupOf(row));
  return (
    <>
      {isNewGroup && (
        <tr className={styles.group}>
          <th scope="rowgroup" colSpan={columns.length + 1}>
            {labelOf(group, process, say)}: <ColumnValue name={group} record={row} process={process} />
            {groupOf(row) === undefined && say("common.none")}
          </th>
        </tr>
      )}
      <tr data-id={row.id} data-number={row.number} tabIndex={-1} className={styles.row} aria-selected={isSelected}>
        <td className={styles.check}>
          <Checkbox size="xs" aria-label={say("list.select", { number: row.number })} checked={isSelected} onChange={() => onSelect(row.id)} />
        </td>
        {columns.map((name) => (
          <Cell key={name} name={name} record={row} process={process} editing={editing} onEdit={onEdit} />
        ))}
      </tr>
    </>
  );
}

/** Asks for more when it comes into sight, or when it is pressed. */
function More({ isBusy, onMore }: { isBusy: boolean; onMore: () => void }) {
  const say = useSay();
  const button = useRef<HTMLButtonElement>(null);
  const more = useRef(onMore);
  useEffect(() => {
    more.current = onMore;
  }, [onMore]);
  useEffect(() => {
    const element = button.current;
    if (!element) return;
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more.current(), { rootMargin: "300px" });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <Button ref={button} size="compact-sm" variant="default" loading={isBusy} onClick={onMore}>
      {say("list.loadMore")}
    </Button>
  );
}
