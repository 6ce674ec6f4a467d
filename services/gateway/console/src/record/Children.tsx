/** The records that follow this one. */

import { useQuery } from "@tanstack/react-query";
import type { Process, RecordView } from "../api/model";
import { links } from "../api/queries";
import { useSay } from "../i18n/words";
import card from "./Card.module.css";
import { TieItem } from "./LinksCard";

export function Children({ process, record }: { process: Process; record: RecordView }) {
  const say = useSay();
  const ties = useQuery(links(process.collection, record.number));
  const children = ties.data?.filter((tie) => tie.relation === process.children?.tied) ?? [];
  if (children.length === 0) return null;
  return (
    <section className={card.card}>
      <h2>
        {say("record.children")} ({children.length})
      </h2>
      <ul className={card.list}>
        {children.map((tie) => (
          <TieItem key={tie.to.number} collection={process.collection} record={record} tie={tie} />
        ))}
      </ul>
    </section>
  );
}
