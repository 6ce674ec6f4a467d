/** The same query as columns, one for each state; a card that is moved takes the step that leads there. */

import { Button, Modal, Stack } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Offer, Process, RecordView } from "../api/model";
import { record as recordQuery, schemas, some } from "../api/queries";
import { useSay } from "../i18n/words";
import { useBegin, type Taking } from "../record/take";
import { TakeDialog } from "../record/TakeDialog";
import type { ListSearch } from "../routes";
import { failure } from "../ui/Notice";
import { ProblemBox } from "../ui/ProblemBox";
import { StateBadge } from "../ui/StateBadge";
import { Card } from "./Card";
import { both } from "./filter";
import { isOfFilter } from "./FilterBar";
import styles from "./Board.module.css";

/** Cards of a column; who wants more looks at the list. */
const CARDS = 30;

type Step = { record: RecordView; taking: Taking };

export function Board({ process, search }: { process: Process; search: ListSearch }) {
  const [dragged, setDragged] = useState<RecordView | null>(null);
  const steps = useSteps(process);
  return (
    <>
      <div className={styles.board} tabIndex={0} role="region" aria-label={process.title}>
        {process.order.map((state) => (
          <Column
            key={state}
            process={process}
            state={state}
            search={search}
            isOpen={dragged !== null && leadsTo(process, dragged.state, state).length > 0}
            onDrag={setDragged}
            onDrop={() => dragged && steps.move(dragged, state)}
            onTake={steps.begin}
          />
        ))}
      </div>
      {steps.dialogs}
    </>
  );
}

/** The steps that lead from one state to another. */
function leadsTo(process: Process, from: string, to: string): string[] {
  return from === to ? [] : (process.states[from] ?? []).filter((transition) => transition.to === to).map(({ name }) => name);
}

/** What is done to cards: at once, by a form where the step asks for something, or after a choice between several. */
function useSteps(process: Process) {
  const say = useSay();
  const client = useQueryClient();
  const schema = useQuery(schemas(process.process)).data;
  const [step, setStep] = useState<Step | null>(null);
  const [choice, setChoice] = useState<{ record: RecordView; offers: Offer[] } | null>(null);
  const start = useBegin(process, schema, (record, taking) => setStep({ record, taking }));
  const begin = (record: RecordView, offer: Offer) => {
    setChoice(null);
    start(record, offer);
  };
  const move = async (card: RecordView, state: string) => {
    // As it is now, with what it offers.
    const record = await client.fetchQuery({ ...recordQuery(process.collection, card.number), staleTime: 0 });
    const names = leadsTo(process, record.state, state);
    const offers = record.offers?.filter((offer) => names.includes(offer.name) && !offer.vote) ?? [];
    const [first, ...others] = offers.filter((offer) => offer.refused_because === null);
    if (!first) failure(offers[0]?.refused_because ?? say("board.noStep", { number: record.number }));
    else if (others.length === 0) begin(record, first);
    else setChoice({ record, offers: [first, ...others] });
  };
  const dialogs = (
    <>
      {step && <TakeDialog process={process} schema={schema} {...step} onClose={() => setStep(null)} />}
      <Modal opened={choice !== null} onClose={() => setChoice(null)} title={choice?.record.number} size="sm" closeButtonProps={{ "aria-label": say("common.close") }}>
        <Stack gap="xs">
          {choice?.offers.map((offer) => (
            <Button key={offer.name} variant="default" onClick={() => begin(choice.record, offer)}>
              {offer.label}
            </Button>
          ))}
        </Stack>
      </Modal>
    </>
  );
  return { begin, move: (card: RecordView, state: string) => void move(card, state).catch(failure), dialogs };
}

type ColumnProps = {
  process: Process;
  state: string;
  search: ListSearch;
  /** The card that is dragged may be let go here. */
  isOpen: boolean;
  onDrag: (record: RecordView | null) => void;
  onDrop: () => void;
  onTake: (record: RecordView, offer: Offer) => void;
};

function Column({ process, state, search, isOpen, onDrag, onDrop, onTake }: ColumnProps) {
  const say = useSay();
  const filter = both(search.filter, `record.state == '${state}'`);
  const query = { filter, ...(search.q && { q: search.q }), sort: search.sort ?? "-updated_at" };
  const page = useQuery(some(process.collection, query, CARDS));
  const items = (page.data?.items ?? []).filter((record) => record.state === state);
  const count = page.data?.next ? say("board.more", { count: items.length }) : String(items.length);
  return (
    <section
      className={styles.column}
      data-open={isOpen || undefined}
      onDragOver={(event) => isOpen && event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        onDrop();
      }}
    >
      <h2>
        <StateBadge state={state} process={process} /> <span>{page.data ? count : ""}</span>
      </h2>
      <ProblemBox error={isOfFilter(page.error) ? null : page.error} />
      <ul>
        {items.map((record) => (
          <Card key={record.id} process={process} record={record} onDrag={onDrag} onTake={onTake} />
        ))}
      </ul>
    </section>
  );
}
