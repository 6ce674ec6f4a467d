/** The versions of a process with who stands on them, and what waits for approval. */

import { Button, Group, Modal, Textarea } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "../api/client";
import type { Data, Offer, Process, RecordView } from "../api/model";
import { Value } from "../fields/Value";
import { spoken } from "../fields/words";
import { useLanguage, useSay } from "../i18n/words";
import { api } from "../paths";
import { GuardedButton } from "../ui/GuardedButton";
import { Moment } from "../ui/Moment";
import { notice } from "../ui/Notice";
import { ProblemBox } from "../ui/ProblemBox";
import { publication, publications, versions } from "./queries";
import { renewed } from "./ShapePage";
import styles from "./VersionsList.module.css";

export function VersionsList({ process, service }: { process: Process; service: string }) {
  const { say, code } = useLanguage();
  const found = useQuery(versions(process.process));
  // Only who answers for a process sees its publications; to others there are none.
  const told = useQuery({ ...publications(service, process.process), retry: false }).data?.items ?? [];
  const format = new Intl.NumberFormat(code);
  const waiting = told.filter(({ state }) => state === "proposed");
  const published = (version: number) => told.find(({ data }) => data.version === version);
  return (
    <>
      <ProblemBox error={found.error} />
      {waiting.map((record) => (
        <Waiting key={record.number} number={record.number} process={process} service={service} />
      ))}
      <div className={styles.frame} tabIndex={0} role="region" aria-label={say("shape.versions")}>
        <table>
          <thead>
            <tr>
              {(["number", "since", "author", "approver", "open", "ended"] as const).map((column) => (
                <th key={column} scope="col">
                  {say(`version.${column}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(found.data?.items ?? []).toReversed().map((version) => {
              const record = published(version.version);
              return (
                <tr key={version.version}>
                  <th scope="row">
                    {say("shape.version", { version: version.version })} {version.is_present && <small>{say("shape.inForce")}</small>}{" "}
                    {version.ships && <small>{say("version.ships")}</small>}
                  </th>
                  <td>
                    <Moment at={version.published_at} full />
                  </td>
                  <td>{record ? <Value value={record.data.author ?? null} field={undefined} /> : say("version.shipped")}</td>
                  <td>
                    <Value value={record?.data.approver ?? null} field={undefined} />
                  </td>
                  <td>{format.format(version.records.open)}</td>
                  <td>{format.format(version.records.closed)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** A publication that waits: whoever may decide it does so here. */
function Waiting({ number, process, service }: { number: string; process: Process; service: string }) {
  const say = useSay();
  const client = useQueryClient();
  const record = useQuery(publication(service, number)).data;
  const [asked, setAsked] = useState<Offer | null>(null);
  const [error, setError] = useState<unknown>(null);
  if (!record) return null;
  const decide = async (offer: Offer, data: Data = {}) => {
    setError(null);
    try {
      await ask<RecordView>(api.settle(service, number, offer.name), { method: "POST", body: data });
      notice(say("record.done", { label: offer.label }));
      setAsked(null);
      await renewed(client, process.process);
    } catch (caught) {
      setError(caught);
    }
  };
  // The version's number is the platform's to say; a reason is the reader's.
  const needsReason = ({ needs }: Offer) => needs.includes("reason");
  return (
    <section className={styles.waiting} aria-label={say("version.waiting", { number })}>
      <h3>{say("version.waiting", { number })}</h3>
      <p>
        <Value value={record.data.author ?? null} field={undefined} /> · <Moment at={record.opened_at} />
      </p>
      <ProblemBox error={asked ? null : error} />
      <Group gap="xs">
        {(record.offers ?? []).map((offer) => (
          <GuardedButton
            key={offer.name}
            size="xs"
            variant={offer.name === "approve" ? "filled" : "default"}
            refusal={offer.refused_because ?? null}
            onPress={() => (needsReason(offer) ? setAsked(offer) : void decide(offer))}
          >
            {offer.label || spoken(offer.name)}
          </GuardedButton>
        ))}
      </Group>
      <Reason offer={asked} error={error} onCancel={() => setAsked(null)} onGiven={(offer, reason) => void decide(offer, { reason })} />
    </section>
  );
}

type ReasonProps = { offer: Offer | null; error: unknown; onCancel: () => void; onGiven: (offer: Offer, reason: string) => void };

function Reason({ offer, error, onCancel, onGiven }: ReasonProps) {
  const say = useSay();
  const [reason, setReason] = useState("");
  return (
    <Modal opened={offer !== null} onClose={onCancel} title={offer?.label ?? ""}>
      <ProblemBox error={error} />
      <Textarea label={say("version.reason")} autosize minRows={2} data-autofocus value={reason} onChange={({ currentTarget }) => setReason(currentTarget.value)} />
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onCancel}>
          {say("common.close")}
        </Button>
        <Button onClick={() => offer && onGiven(offer, reason)}>{offer?.label}</Button>
      </Group>
    </Modal>
  );
}
