/** One action for many records, each with its own result. */

import { Button, CloseButton, Modal } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { CheckCircle2, CircleAlert } from "lucide-react";
import { useState } from "react";
import { ask } from "../api/client";
import type { BatchResult, Data, Offer, Process, RecordView } from "../api/model";
import { record as recordQuery, schemas } from "../api/queries";
import { CommandForm } from "../fields/CommandForm";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import { OfferButton } from "../record/OfferButton";
import { ProblemBox } from "../ui/ProblemBox";
import styles from "./BulkBar.module.css";

type Props = { process: Process; records: RecordView[]; onClear: () => void; onDone: () => void };
type Result = { number: string; problem: string | null };

export function BulkBar({ process, records, onClear, onDone }: Props) {
  const say = useSay();
  const [taking, setTaking] = useState<Offer | null>(null);
  const [results, setResults] = useState<Result[] | null>(null);
  const schema = useQuery(schemas(process.process));
  const offers = useOffersOf(process, records);

  const take = async (offer: Offer, data: Data) => {
    const commands = records.map((record) => ({ id: record.id, take: offer.name, with: data }));
    const answer = await ask<{ results: BatchResult[] }>(api.batch(process.collection), { method: "POST", body: { commands } });
    setResults(answer.results.map((result, index) => ({ number: records[index]?.number ?? "", problem: result.problem?.detail ?? null })));
    setTaking(null);
    onDone();
  };
  return (
    <div className={styles.bar} role="group" aria-label={say("list.selected", { count: records.length })}>
      <strong>{say("list.selected", { count: records.length })}</strong>
      {offers.map((offer) => (
        <OfferButton key={offer.name} offer={offer} variant="default" onTake={() => setTaking(offer)} />
      ))}
      <CloseButton aria-label={say("list.clear")} onClick={onClear} />
      <Modal opened={taking !== null} onClose={() => setTaking(null)} title={taking?.label} size="lg" closeButtonProps={{ "aria-label": say("common.close") }}>
        {taking && schema.data ? (
          <CommandForm schema={{ ...schema.data.transitions[taking.name], required: taking.needs }} process={process} submit={taking.label} onSubmit={(data) => take(taking, data)} onCancel={() => setTaking(null)} />
        ) : (
          <ProblemBox error={schema.error} />
        )}
      </Modal>
      <Modal opened={results !== null} onClose={() => setResults(null)} title={summary(results ?? [], say)} closeButtonProps={{ "aria-label": say("common.close") }}>
        <ul className={styles.results}>
          {results?.map(({ number, problem }) => (
            <li key={number} data-failed={problem !== null || undefined}>
              {problem === null ? <CheckCircle2 size={16} aria-hidden /> : <CircleAlert size={16} aria-hidden />}
              <b>{number}</b> {problem ?? say("bulk.done")}
            </li>
          ))}
        </ul>
        <Button fullWidth mt="md" onClick={() => setResults(null)}>
          {say("common.close")}
        </Button>
      </Modal>
    </div>
  );
}

function summary(results: Result[], say: ReturnType<typeof useSay>): string {
  return say("bulk.results", { done: results.filter(({ problem }) => problem === null).length, count: results.length });
}

/** What is offered for one record of each state among them; the server says of each whether it may. */
function useOffersOf(process: Process, records: RecordView[]): Offer[] {
  const byState = new Map(records.map((record) => [record.state, record]));
  const samples = useQueries({ queries: [...byState.values()].map(({ number }) => recordQuery(process.collection, number)) });
  const offers = new Map<string, Offer>();
  for (const offer of samples.flatMap(({ data }) => data?.offers ?? [])) {
    const known = offers.get(offer.name);
    if (!known || known.refused_because !== null) offers.set(offer.name, offer);
  }
  return [...offers.values()];
}
