/** What is voted on now: how the vote stands, who voted, and a vote of one's own. */

import { Modal, Progress } from "@mantine/core";
import { Check, Forward, X } from "lucide-react";
import { useState } from "react";
import type { Cast, Data, Offer, Process, RecordView } from "../api/model";
import { asking, schemaOf, type Asked } from "../fields/asked";
import { CommandForm } from "../fields/CommandForm";
import { useSay } from "../i18n/words";
import { GuardedButton } from "../ui/GuardedButton";
import { Moment } from "../ui/Moment";
import card from "./Card.module.css";
import styles from "./Work.module.css";

type Opinion = Cast["vote"];
type Props = { process: Process; record: RecordView; onVote: (body: Data, words: string) => Promise<void> };

const ICONS = { approve: Check, reject: X, delegate: Forward };

export function Votes({ process, record, onVote }: Props) {
  const say = useSay();
  const [voting, setVoting] = useState<{ offer: Offer; vote: Opinion } | null>(null);
  const polls = record.offers?.filter((offer) => offer.vote) ?? [];
  if (polls.length === 0) return null;
  const casts = (record.data.votes ?? []) as Cast[];
  const asked: Asked[] = [
    ...(voting?.vote === "delegate" ? [{ name: "delegate", label: say("vote.to"), schema: { type: "string" }, reference: "person" }] : []),
    { name: "comment", label: say("record.comment"), schema: { type: "string", maxLength: 4000 } },
  ];
  const cast = async (data: Data) => {
    if (!voting) return;
    const body: Data = { transition: voting.offer.name, ...(voting.vote !== "delegate" && { vote: voting.vote }), ...data };
    await onVote(body, `${voting.offer.label}: ${say(`vote.${voting.vote}`)}`);
    setVoting(null);
  };
  return (
    <>
      {polls.map((offer) => (
        <section key={offer.name} className={`${card.card} ${styles.work}`} aria-label={say("vote.on", { name: offer.label })}>
          <header>
            <h2>{say("vote.on", { name: offer.label })}</h2>
            <span className={styles.count}>{say("vote.tally", { approvals: offer.vote?.approvals ?? 0, quorum: offer.vote?.quorum ?? 0, rejections: offer.vote?.rejections ?? 0 })}</span>
          </header>
          <Progress size="sm" aria-label={say("vote.progress")} value={(100 * (offer.vote?.approvals ?? 0)) / Math.max(offer.vote?.quorum ?? 1, 1)} />
          <ul className={card.list}>
            {casts.filter((one) => one.transition === offer.name).map((one) => <Voted key={`${one.by}-${one.at}`} cast={one} />)}
          </ul>
          <div className={styles.buttons}>
            {(["approve", "reject", "delegate"] as const).map((vote) => {
              const Icon = ICONS[vote];
              return (
                <GuardedButton key={vote} size="sm" variant={vote === "approve" ? "filled" : "default"} refusal={offer.refused_because} leftSection={<Icon size={15} aria-hidden />} onPress={() => setVoting({ offer, vote })}>
                  {say(`vote.${vote}`)}
                </GuardedButton>
              );
            })}
          </div>
        </section>
      ))}
      <Modal opened={voting !== null} onClose={() => setVoting(null)} title={voting && `${voting.offer.label}: ${say(`vote.${voting.vote}`)}`} closeButtonProps={{ "aria-label": say("common.close") }}>
        {voting && (
          <CommandForm process={asking(process, asked)} schema={schemaOf(asked, voting.vote === "delegate" ? ["delegate"] : [])} submit={say(`vote.${voting.vote}`)} onSubmit={cast} onCancel={() => setVoting(null)} />
        )}
      </Modal>
    </>
  );
}

function Voted({ cast }: { cast: Cast }) {
  const say = useSay();
  const Icon = ICONS[cast.vote];
  return (
    <li className={styles.cast} data-vote={cast.vote}>
      <Icon size={15} aria-hidden />
      <span>
        <strong>{cast.name}</strong> {say(`vote.did.${cast.vote}`)}
      </span>
      <Moment at={cast.at} />
    </li>
  );
}
