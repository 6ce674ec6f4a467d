/** One's own record: where it stands, what one is asked, and what was said. */

import { Loader, Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Data, Offer, Process, RecordView } from "../api/model";
import { history, process as processQuery, processes, record as recordQuery, schemas } from "../api/queries";
import { CommandForm } from "../fields/CommandForm";
import { headline } from "../fields/words";
import { useSay } from "../i18n/words";
import { place } from "../paths";
import { Attachments } from "../record/Attachments";
import { Composer } from "../record/Composer";
import { EntryItem } from "../record/EntryItem";
import { useBegin, useTake } from "../record/take";
import timeline from "../record/Timeline.module.css";
import { GuardedButton } from "../ui/GuardedButton";
import { Moment } from "../ui/Moment";
import { ProblemBox } from "../ui/ProblemBox";
import { StateBadge } from "../ui/StateBadge";
import styles from "./Portal.module.css";

const route = getRouteApi("/$collection/$number");

export function FollowPage() {
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
  if (!process.data || !record.data) return <Loader aria-label={say("common.loading")} />;
  return <Followed key={record.data.id} process={process.data} record={record.data} />;
}

function Followed({ process, record }: { process: Process; record: RecordView }) {
  const say = useSay();
  const { description, resolution, outcome } = record.data;
  const answer = resolution ?? outcome;
  const comment = useRef<HTMLTextAreaElement>(null);
  const entries = useQuery(history(process.collection, record.number));
  // What was said, and where it went; what else was changed is the desk's own.
  const talk = (entries.data ?? []).filter((entry) => entry.comment !== undefined || entry.attachment !== undefined || (entry.to !== undefined && entry.to !== entry.from));
  return (
    <article>
      <Link to={place.overview} className={styles.back}>
        <ArrowLeft size={15} aria-hidden />
        {say("portal.home")}
      </Link>
      <header className={styles.head}>
        <h1>{headline(record)}</h1>
        <div className={styles.facts}>
          <StateBadge state={record.state} process={process} />
          <span>{record.number}</span>
          <Moment at={record.updated_at} />
        </div>
      </header>
      <Next process={process} record={record} answer={typeof answer === "string" ? answer : null} />
      {typeof description === "string" && <p className={styles.said}>{description}</p>}
      <div className={styles.talk}>
        <Attachments collection={process.collection} record={record} />
        <section aria-label={say("record.activity")}>
          <Composer process={process} record={record} input={comment} />
          <ProblemBox error={entries.error} />
          <ol className={timeline.entries}>
            {talk.toReversed().map((entry) => (
              <EntryItem key={entry.id} entry={{ ...entry, changes: {} }} process={process} number={record.number} />
            ))}
          </ol>
        </section>
      </div>
    </article>
  );
}

/** What one may do now. What is for others to do is not shown to who cannot become one of them. */
function Next({ process, record, answer }: { process: Process; record: RecordView; answer: string | null }) {
  const say = useSay();
  const schema = useQuery(schemas(process.process)).data;
  const [taking, setTaking] = useState<Offer | null>(null);
  const open = record.offers?.filter((offer) => offer.refused_because === null && !offer.vote) ?? [];
  // What needs no more than a yes comes first.
  const offers = open.toSorted((one, other) => one.needs.length - other.needs.length);
  const take = useTake(process.collection);
  const begin = useBegin(process, schema, (_, { offer }) => setTaking(offer));
  const send = async (offer: Offer, body: Data) => {
    await take(record, offer, body);
    setTaking(null);
  };
  if (offers.length === 0 && answer === null) return null;
  return (
    <section className={styles.next} aria-label={say("portal.next")}>
      {answer !== null && <p className={styles.said}>{answer}</p>}
      {offers.length > 0 && (
        <div className={styles.buttons} role="group" aria-label={say("record.actions")}>
          {offers.map((offer, index) => (
            <GuardedButton key={offer.name} refusal={null} variant={index === 0 ? "filled" : "default"} onPress={() => begin(record, offer)}>
              {offer.label}
            </GuardedButton>
          ))}
        </div>
      )}
      <Modal opened={taking !== null} onClose={() => setTaking(null)} title={taking?.label} closeButtonProps={{ "aria-label": say("common.close") }}>
        {taking && schema && (
          <CommandForm schema={{ ...schema.transitions[taking.name], required: taking.needs }} process={process} submit={taking.label} onSubmit={(data) => send(taking, data)} onCancel={() => setTaking(null)} />
        )}
      </Modal>
    </section>
  );
}
