/** What a record is tied to, across processes, and a way to tie it to more. */

import { Button, Modal, Select, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Link2 } from "lucide-react";
import { useState, type FormEvent } from "react";
import { ask } from "../api/client";
import type { Process, RecordView, Tie } from "../api/model";
import { links, process as processQuery, processes, record as recordQuery } from "../api/queries";
import { useRelationLabel } from "../fields/relations";
import { headline } from "../fields/words";
import { useSay } from "../i18n/words";
import { api, place } from "../paths";
import { ProblemBox } from "../ui/ProblemBox";
import { StateBadge } from "../ui/StateBadge";
import card from "./Card.module.css";
import { EndTie } from "./EndTie";
import styles from "./LinksCard.module.css";

export function LinksCard({ process, record }: { process: Process; record: RecordView }) {
  const say = useSay();
  const called = useRelationLabel(process);
  const [isAdding, adding] = useDisclosure(false);
  const ties = useQuery(links(process.collection, record.number));
  // Children stand in a card of their own.
  const others = ties.data?.filter((tie) => tie.relation !== process.children?.tied);
  const relations = [...new Set(others?.map((tie) => tie.relation))];
  return (
    <section className={card.card}>
      <header>
        <h2>{say("record.links")}</h2>
        {process.links.length > 0 && (
          <Button size="compact-sm" variant="subtle" leftSection={<Link2 size={14} aria-hidden />} onClick={adding.open}>
            {say("record.addLink")}
          </Button>
        )}
      </header>
      <ProblemBox error={ties.error} />
      {others?.length === 0 && <p className={card.none}>{say("record.noLinks")}</p>}
      {relations.map((relation) => (
        <div key={relation} className={styles.relation}>
          <h3>{called(relation)}</h3>
          <ul className={card.list}>
            {others
              ?.filter((tie) => tie.relation === relation)
              .map((tie) => <TieItem key={tie.to.number} collection={process.collection} record={record} tie={tie} />)}
          </ul>
        </div>
      ))}
      <Modal opened={isAdding} onClose={adding.close} title={say("record.addLink")} closeButtonProps={{ "aria-label": say("common.close") }}>
        <AddLink process={process} record={record} onDone={adding.close} />
      </Modal>
    </section>
  );
}

type TieProps = { collection: string; record: RecordView; tie: Tie };

export function TieItem({ collection, record, tie }: TieProps) {
  const say = useSay();
  const owner = useQuery(processes).data?.find((one) => one.process === tie.to.process);
  const process = useQuery({ ...processQuery(tie.to.process), enabled: owner !== undefined });
  const other = useQuery({ ...recordQuery(owner?.collection ?? "", tie.to.number), enabled: owner !== undefined });
  return (
    <li className={styles.tie}>
      {owner ? (
        <Link to={place.record(owner.collection, tie.to.number)}>
          <span className={styles.number}>{tie.to.number}</span> {other.data && headline(other.data)}
        </Link>
      ) : (
        <span>{tie.to.number}</span>
      )}
      {other.data && <StateBadge state={other.data.state} process={process.data} />}
      {!tie.confirmed && <small>{say("record.unconfirmed")}</small>}
      <EndTie collection={collection} record={record} tie={tie} />
    </li>
  );
}

function AddLink({ process, record, onDone }: { process: Process; record: RecordView; onDone: () => void }) {
  const say = useSay();
  const client = useQueryClient();
  const [relation, setRelation] = useState<string | null>(process.links[0]?.relation ?? null);
  const [to, setTo] = useState("");
  const [error, setError] = useState<unknown>(null);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await ask(api.more(process.collection, record.number, "links"), { method: "POST", body: { relation, to: to.trim() } });
      await client.invalidateQueries({ queryKey: ["record", process.collection, record.number] });
      onDone();
    } catch (caught) {
      setError(caught);
    }
  };
  return (
    <form onSubmit={(event) => void save(event)} noValidate>
      <Stack>
        <Select label={say("record.relation")} allowDeselect={false} data={process.links.map((link) => ({ value: link.relation, label: link.label }))} value={relation} onChange={setRelation} />
        <TextInput label={say("record.linkTo")} required placeholder={record.number} value={to} onChange={(event) => setTo(event.currentTarget.value)} />
        <ProblemBox error={error} />
        <Button type="submit">{say("record.addLink")}</Button>
      </Stack>
    </form>
  );
}
