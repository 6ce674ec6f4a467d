/** A record on the board: it is dragged to another state, or moved by its menu. */

import { ActionIcon, Menu } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ellipsis } from "lucide-react";
import { useState } from "react";
import type { Offer, Process, RecordView } from "../api/model";
import { record as recordQuery } from "../api/queries";
import { ColumnValue } from "../fields/Value";
import { headline, headlineField, usualColumns } from "../fields/words";
import { useSay } from "../i18n/words";
import { place } from "../paths";
import { Moment } from "../ui/Moment";
import styles from "./Board.module.css";

const ON_A_CARD = 3;

type Props = {
  process: Process;
  record: RecordView;
  onDrag: (record: RecordView | null) => void;
  onTake: (record: RecordView, offer: Offer) => void;
};

export function Card({ process, record, onDrag, onTake }: Props) {
  const shown = ["number", "state", "updated_at", headlineField(process)];
  const facts = usualColumns(process).filter((name) => !shown.includes(name) && record.data[name] != null).slice(0, ON_A_CARD);
  return (
    <li
      className={styles.card}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", record.number);
        onDrag(record);
      }}
      onDragEnd={() => onDrag(null)}
    >
      <div className={styles.title}>
        <Link to={place.record(process.collection, record.number)} draggable={false}>
          {headline(record)}
        </Link>
        <Moves process={process} record={record} onTake={onTake} />
      </div>
      <div className={styles.facts}>
        {facts.map((name) => (
          <ColumnValue key={name} name={name} record={record} process={process} />
        ))}
      </div>
      <div className={styles.foot}>
        <span>{record.number}</span>
        <Moment at={record.updated_at} />
      </div>
    </li>
  );
}

/** What may be done to a card, asked for when somebody looks. */
function Moves({ process, record, onTake }: Pick<Props, "process" | "record" | "onTake">) {
  const say = useSay();
  const [isOpen, setOpen] = useState(false);
  const now = useQuery({ ...recordQuery(process.collection, record.number), enabled: isOpen, staleTime: 0 }).data;
  const offers = now?.offers?.filter((offer) => !offer.vote) ?? [];
  return (
    <Menu opened={isOpen} onChange={setOpen} position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon className={styles.moves} size="sm" variant="subtle" color="gray" aria-label={say("board.actions", { number: record.number })}>
          <Ellipsis size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {now && offers.length === 0 && <Menu.Label>{say("board.none")}</Menu.Label>}
        {offers.map((offer) => (
          <Menu.Item key={offer.name} disabled={offer.refused_because !== null} title={offer.refused_because ?? undefined} onClick={() => now && onTake(now, offer)}>
            {offer.label}
            {offer.refused_because !== null && <small className={styles.because}>{offer.refused_because}</small>}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
