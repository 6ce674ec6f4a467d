/** One record: where it stands, what may be done, what it says, and what happened. */

import { Button, Loader, Modal, SegmentedControl } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useLocation } from "@tanstack/react-router";
import { ChevronRight, Pencil, UserRoundPlus } from "lucide-react";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { ask } from "../api/client";
import type { CommandSchemas, Data, Offer, Process, ProcessSummary, RecordView } from "../api/model";
import { history, process as processQuery, processes, record as recordQuery, schemas } from "../api/queries";
import { CommandForm } from "../fields/CommandForm";
import { isSame } from "../fields/same";
import { headline } from "../fields/words";
import { useSay } from "../i18n/words";
import { api, place } from "../paths";
import { useWho } from "../session/session";
import { useKeys } from "../shell/keys";
import { useOffered } from "../shell/offered";
import { Moment } from "../ui/Moment";
import { ProblemBox } from "../ui/ProblemBox";
import { StateBadge } from "../ui/StateBadge";
import { ColumnValue } from "../fields/Value";
import { AccessCard } from "../account/AccessCard";
import { Attachments } from "./Attachments";
import { Children } from "./Children";
import { Clocks } from "./Clocks";
import { Details } from "./Details";
import { LinksCard } from "./LinksCard";
import { OfferButton } from "./OfferButton";
import { useBegin, useDone, useStale, type Taking } from "./take";
import { TakeDialog } from "./TakeDialog";
import { Tasks } from "./Tasks";
import { Timeline } from "./Timeline";
import { Votes } from "./Votes";
import styles from "./RecordPage.module.css";

const Diagram = lazy(() => import("./Diagram").then(({ Diagram }) => ({ default: Diagram })));
const ChainView = lazy(() => import("./ChainView").then(({ ChainView }) => ({ default: ChainView })));
const route = getRouteApi("/$collection/$number");

export function RecordPage() {
  const say = useSay();
  const { collection, number } = route.useParams();
  const known = useQuery(processes);
  const summary = known.data?.find((one) => one.collection === collection);
  const process = useQuery({ ...processQuery(summary?.process ?? ""), enabled: summary !== undefined });
  const record = useQuery({ ...recordQuery(collection, number), enabled: summary !== undefined });
  useEffect(() => {
    document.title = `${number} · ${say("app.name")}`;
  }, [number, say]);
  if (known.data && !summary) return <p>{say("problem.notFound")}</p>;
  const error = known.error ?? process.error ?? record.error;
  if (error) return <ProblemBox error={error} />;
  if (!summary || !process.data || !record.data) return <Loader aria-label={say("common.loading")} />;
  return <OneRecord key={record.data.id} summary={summary} process={process.data} record={record.data} />;
}

/** In the address: begin with whoever looks. */
const ASSIGN = "assign";

type Shown = "activity" | "diagram" | "chain";

function OneRecord({ summary, process, record }: { summary: ProcessSummary; process: Process; record: RecordView }) {
  const say = useSay();
  const schema = useQuery(schemas(process.process)).data;
  const [taking, setTaking] = useState<Taking | null>(null);
  const [isEditing, editing] = useDisclosure(false);
  const [shown, setShown] = useState<Shown>("activity");
  const comment = useRef<HTMLTextAreaElement>(null);
  // What is voted on has a card of its own.
  const offers = useMemo(() => record.offers?.filter((offer) => !offer.vote) ?? [], [record.offers]);
  const mine = useMine(process, schema, offers);
  // A list's `a` comes here with the form open.
  const navigate = route.useNavigate();
  const isCalled = useLocation().hash === ASSIGN;
  const current = taking ?? (isCalled ? mine : null);
  const leave = () => {
    setTaking(null);
    if (isCalled) void navigate({ hash: "", replace: true });
  };

  const done = useDone(summary.collection);
  const stale = useStale(summary.collection)(record.number);
  const start = useBegin(process, schema, (_, next) => setTaking(next));
  const begin = (offer: Offer, given?: Data) => start(record, offer, given);
  const amend = async (data: Data) => {
    const names = new Set([...Object.keys(data), ...Object.keys(schema?.amend.properties ?? {})]);
    const patch = Object.fromEntries(
      [...names].filter((name) => !isSame(data[name], record.data[name])).map((name) => [name, data[name] ?? null]),
    );
    const next = await ask<RecordView>(api.record(summary.collection, record.number), { method: "PATCH", body: patch, rev: record.rev }).catch(stale);
    editing.close();
    await done(next, say("record.saved"));
  };
  const more = (what: "votes" | "tasks") => api.more(summary.collection, record.number, what);
  const vote = async (body: Data, words: string) => {
    await done(await ask<RecordView>(more("votes"), { method: "POST", body, rev: record.rev }).catch(stale), words);
  };
  const addTask = async (body: Data) => {
    await done(await ask<RecordView>(more("tasks"), { method: "POST", body }), say("record.saved"));
  };
  const changeTask = async (task: number, body: Data) => {
    const path = api.task(summary.collection, record.number, task);
    await done(await ask<RecordView>(path, { method: "PATCH", body }), say("record.saved"));
  };
  const write = () => {
    // Drawn at once: what is typed next belongs to the comment already.
    flushSync(() => setShown("activity"));
    comment.current?.focus();
  };
  const actions = offers.filter((offer) => offer.refused_because === null);
  useKeys(
    useMemo(
      () => ({
        e: editing.open,
        c: write,
        a: () => mine && begin(mine.offer, mine.given),
      }),
      // What is begun depends on the record as it stands.
      // eslint-disable-next-line react-hooks/exhaustive-deps
      [mine, record, schema],
    ),
  );

  useOffered(
    useMemo(
      () => [
        ...actions.map((offer) => ({ name: offer.name, label: offer.label, run: () => begin(offer) })),
        ...(mine ? [{ name: "assign-me", label: say("record.assignMe"), run: () => begin(mine.offer, mine.given) }] : []),
        { name: "edit", label: say("record.edit"), run: editing.open },
        { name: "comment", label: say("record.comment"), run: write },
      ],
      // What is begun depends on the record as it stands.
      // eslint-disable-next-line react-hooks/exhaustive-deps
      [mine, record, schema, say],
    ),
  );

  const amendable = useMemo(() => {
    const names = Object.keys(schema?.amend.properties ?? {});
    return Object.fromEntries(Object.entries(record.data).filter(([name]) => names.includes(name)));
  }, [schema, record.data]);
  const hasPriority = record.data.priority !== undefined && record.data.priority !== null;
  const [first, ...others] = [...offers].sort((one, other) => Number(one.refused_because !== null) - Number(other.refused_because !== null));

  return (
    <article>
      <nav aria-label={summary.title} className={styles.crumbs}>
        <Link to={place.list(summary.collection)}>{summary.title}</Link>
        <ChevronRight size={14} aria-hidden />
        <span>{record.number}</span>
      </nav>
      <header className={styles.head}>
        <h1>{headline(record)}</h1>
        <div className={styles.facts}>
          <StateBadge state={record.state} process={process} />
          {hasPriority && <ColumnValue name="priority" record={record} process={process} />}
          <span className={styles.since}>
            <Moment at={record.updated_at} />
          </span>
        </div>
        <div className={styles.actions} role="group" aria-label={say("record.actions")}>
          {first && <OfferButton offer={first} variant={first.refused_because === null ? "filled" : "default"} onTake={() => begin(first)} />}
          {others.map((offer) => (
            <OfferButton key={offer.name} offer={offer} variant="default" onTake={() => begin(offer)} />
          ))}
          {mine && (
            <Button variant="subtle" size="sm" leftSection={<UserRoundPlus size={15} aria-hidden />} onClick={() => begin(mine.offer, mine.given)}>
              {say("record.assignMe")}
            </Button>
          )}
          <Button variant="subtle" size="sm" leftSection={<Pencil size={15} aria-hidden />} onClick={editing.open}>
            {say("record.edit")}
          </Button>
        </div>
      </header>
      <div className={styles.columns}>
        <div className={styles.main}>
          <Votes process={process} record={record} onVote={vote} />
          <Tasks process={process} record={record} onAdd={addTask} onChange={changeTask} />
          <SegmentedControl
            className={styles.tabs}
            size="sm"
            aria-label={say("list.view")}
            value={shown}
            onChange={(value) => setShown(value as Shown)}
            data={[
              { value: "activity", label: say("record.activity") },
              { value: "diagram", label: say("record.diagram") },
              { value: "chain", label: say("record.chain") },
            ]}
          />
          {shown === "activity" ? (
            <Timeline process={process} record={record} input={comment} />
          ) : (
            <Suspense fallback={<Loader aria-label={say("common.loading")} />}>
              {shown === "diagram" ? <Path process={process} record={record} /> : <ChainView process={process} record={record} />}
            </Suspense>
          )}
        </div>
        <div className={styles.aside}>
          <Clocks record={record} />
          <AccessCard process={process} record={record} />
          <Details process={process} record={record} />
          <Attachments collection={summary.collection} record={record} />
          <Children process={process} record={record} />
          <LinksCard process={process} record={record} />
        </div>
      </div>
      <TakeDialog process={process} schema={schema} record={record} taking={current} onClose={leave} />
      <Modal opened={isEditing} onClose={editing.close} title={`${say("record.edit")}: ${record.number}`} size="xl" closeButtonProps={{ "aria-label": say("common.close") }}>
        {schema && <CommandForm schema={schema.amend} process={process} given={amendable} submit={say("common.save")} onSubmit={amend} onCancel={editing.close} />}
      </Modal>
    </article>
  );
}

function Path({ process, record }: { process: Process; record: RecordView }) {
  const entries = useQuery(history(process.collection, record.number));
  const steps = (entries.data ?? []).flatMap((entry) => (entry.to ? [{ from: entry.from ?? null, to: entry.to }] : []));
  return <Diagram process={process} state={record.state} steps={steps} />;
}

/** The first thing offered that asks for a person: it can be begun with whoever looks. */
function useMine(process: Process, schema: CommandSchemas | undefined, offers: Offer[]): Taking | null {
  const { id } = useWho();
  return useMemo(() => {
    if (!id.startsWith("person:")) return null;
    const people = process.fields.filter((field) => field.reference === "person").map((field) => field.name);
    for (const offer of offers.filter(({ refused_because }) => refused_because === null)) {
      const asked = Object.keys(schema?.transitions[offer.name]?.properties ?? {});
      const field = people.find((name) => asked.includes(name));
      if (field) return { offer, given: { [field]: id } };
    }
    return null;
  }, [id, process, schema, offers]);
}
