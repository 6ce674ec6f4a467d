/** The records of a process: a list or a board of one query, which stands in the address. */

import { ActionIcon, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Columns3, LayoutList, Plus, Search, SquareKanban } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import type { Process, ProcessSummary } from "../api/model";
import { process as processQuery, processes } from "../api/queries";
import { usualColumns } from "../fields/words";
import { useSay } from "../i18n/words";
import type { ListSearch } from "../routes";
import { useKeys } from "../shell/keys";
import { GuardedButton } from "../ui/GuardedButton";
import { ProblemBox } from "../ui/ProblemBox";
import { Board } from "./Board";
import { ColumnsMenu } from "./ColumnsMenu";
import { ExportButton } from "./ExportButton";
import { FilterBar } from "./FilterBar";
import { NewRecord } from "./NewRecord";
import { QuickFilters } from "./QuickFilters";
import { RecordTable } from "./RecordTable";
import { ViewsMenu } from "./ViewsMenu";
import styles from "./ListPage.module.css";

const route = getRouteApi("/$collection");

export function ListPage() {
  const say = useSay();
  const { collection } = route.useParams();
  const known = useQuery(processes);
  const summary = known.data?.find((one) => one.collection === collection);
  const process = useQuery({ ...processQuery(summary?.process ?? ""), enabled: summary !== undefined });
  useEffect(() => {
    document.title = summary ? `${summary.title} · ${say("app.name")}` : say("app.name");
  }, [summary, say]);
  if (known.data && !summary) return <p>{say("problem.notFound")}</p>;
  if (!summary || !process.data) return <ProblemBox error={known.error ?? process.error} />;
  return <List key={collection} summary={summary} process={process.data} />;
}

export type Change = (change: Partial<{ [Name in keyof ListSearch]: ListSearch[Name] | undefined }>) => void;

function List({ summary, process }: { summary: ProcessSummary; process: Process }) {
  const say = useSay();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { collection } = summary;
  const change: Change = (next) => {
    const merged = Object.entries({ ...search, ...next }).filter(([, value]) => value !== undefined && value !== "");
    void navigate({ search: Object.fromEntries(merged) as ListSearch, replace: true });
  };
  const columns = useMemo(() => search.columns?.split(",") ?? usualColumns(process), [search.columns, process]);
  const isBoard = search.as === "board";
  const refusal = process.open.refused_because;
  const searchBox = useRef<HTMLInputElement>(null);
  const create = () => change({ new: true });
  useKeys(
    useMemo(
      () => ({
        "/": () => searchBox.current?.focus(),
        ...(refusal === null && { c: create }),
      }),
      // `create` is made anew with each address; what it does depends on nothing else.
      // eslint-disable-next-line react-hooks/exhaustive-deps
      [refusal, search],
    ),
  );
  const find = useDebouncedCallback((q: string) => change({ q }), 300);

  return (
    <>
      <div className={styles.head}>
        <h1>{summary.title}</h1>
        <div className={styles.headActions}>
          <SegmentedControl
            size="xs"
            aria-label={say("list.view")}
            value={isBoard ? "board" : "table"}
            onChange={(as) => change({ as: as === "board" ? "board" : undefined })}
            data={[
              { value: "table", label: <Choice icon={<LayoutList size={15} aria-hidden />} text={say("list.table")} /> },
              { value: "board", label: <Choice icon={<SquareKanban size={15} aria-hidden />} text={say("list.board")} /> },
            ]}
          />
          <GuardedButton refusal={refusal} leftSection={<Plus size={16} aria-hidden />} onPress={create}>
            {say("list.create")}
          </GuardedButton>
        </div>
      </div>
      <div className={styles.tools}>
        <QuickFilters process={process} filter={search.filter} onChange={(filter) => change({ filter })} />
        <TextInput
          ref={searchBox}
          className={styles.find}
          size="sm"
          type="search"
          leftSection={<Search size={15} aria-hidden />}
          aria-label={say("list.search", { name: summary.title })}
          placeholder={say("list.search", { name: summary.title })}
          defaultValue={search.q ?? ""}
          onChange={(event) => find(event.currentTarget.value)}
        />
        <ViewsMenu process={process} search={search} onChoose={(chosen) => void navigate({ search: chosen })} />
        {!isBoard && (
          <ColumnsMenu process={process} columns={columns} group={search.group} onChange={change}>
            <ActionIcon variant="default" size="lg" aria-label={say("list.columns")}>
              <Columns3 size={17} aria-hidden />
            </ActionIcon>
          </ColumnsMenu>
        )}
        <ExportButton process={process} columns={columns} search={search} />
      </div>
      <FilterBar process={process} filter={search.filter} onChange={(filter) => change({ filter })} />
      {isBoard ? (
        <Board process={process} search={search} />
      ) : (
        <RecordTable process={process} columns={columns} search={search} onChange={change} />
      )}
      <NewRecord process={process} isOpen={search.new === true && refusal === null} onClose={() => change({ new: undefined })} collection={collection} />
    </>
  );
}

function Choice({ icon, text }: { icon: React.ReactNode; text: string }) {
  return (
    <span className={styles.choice}>
      {icon}
      {text}
    </span>
  );
}
