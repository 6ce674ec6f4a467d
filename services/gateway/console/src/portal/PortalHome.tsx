/** What somebody can ask for, and what became of it. */

import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { MessageSquarePlus, ShoppingBag } from "lucide-react";
import { useEffect } from "react";
import type { Process, RecordView } from "../api/model";
import { catalogue, process as processQuery, processes, some } from "../api/queries";
import { headline } from "../fields/words";
import { useLanguage, useSay } from "../i18n/words";
import { place } from "../paths";
import { Moment } from "../ui/Moment";
import { ProblemBox } from "../ui/ProblemBox";
import { StateBadge } from "../ui/StateBadge";
import { ORDERS } from "./orders";
import { REQUESTER } from "./requester";
import styles from "./Portal.module.css";

/** Of each process; who has more looks for it. */
const SHOWN = 25;

export function PortalHome() {
  const say = useSay();
  const known = useQuery(processes);
  const asked = known.data?.filter((process) => process.roles.includes(REQUESTER)) ?? [];
  const details = useQueries({ queries: asked.map((process) => processQuery(process.process)) });
  const open = details.flatMap(({ data }) => (data && data.open.refused_because === null ? [data] : []));
  useEffect(() => {
    document.title = `${say("portal.title")} · ${say("app.name")}`;
  }, [say]);
  return (
    <>
      <h1 className={styles.title}>{say("portal.title")}</h1>
      <ProblemBox error={known.error} />
      <ul className={styles.choices}>
        {open.map((process) => (
          <li key={process.process}>
            <Link to={place.report(process.collection)} className={styles.choice}>
              <MessageSquarePlus size={24} aria-hidden />
              <span>
                <strong>{process.title}</strong>
                <small>{say("portal.tell")}</small>
              </span>
            </Link>
          </li>
        ))}
      </ul>
      <Catalogue />
      <Mine processes={open} />
    </>
  );
}

function Catalogue() {
  const { code, say } = useLanguage();
  const takesOrders = useQuery(processes).data?.some((process) => process.collection === ORDERS.collection) ?? false;
  const services = useQuery({ ...catalogue, enabled: takesOrders, retry: false });
  const items = (services.data ?? []).flatMap((service) => (service.request_items ?? []).map((item) => ({ service, item })));
  if (items.length === 0) return null;
  const price = (amount: number, currency: string) => new Intl.NumberFormat(code, { style: "currency", currency }).format(amount);
  return (
    <>
      <h2 className={styles.section}>{say("portal.catalogue")}</h2>
      <ul className={styles.choices}>
        {items.map(({ service, item }) => (
          <li key={`${service.number} ${item.name}`}>
            <Link to="/portal/new/$collection" params={{ collection: ORDERS.collection }} search={{ service: service.code, item: item.name }} className={styles.choice}>
              <ShoppingBag size={24} aria-hidden />
              <span>
                <strong>{item.name}</strong>
                <small>{[service.title, item.price ? price(item.price, item.currency ?? "EUR") : null].filter((part) => part !== null).join(" · ")}</small>
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}

function Mine({ processes: all }: { processes: Process[] }) {
  const say = useSay();
  const lists = useQueries({ queries: all.map((process) => some(process.collection, { sort: "-updated_at" }, SHOWN)) });
  const records = lists.flatMap(({ data }, index) => (data?.items ?? []).map((record) => ({ record, process: all[index] })));
  const sorted = records.toSorted((one, other) => other.record.updated_at.localeCompare(one.record.updated_at));
  const isOpen = ({ record }: { record: RecordView }) => record.closed_at === null;
  const [open, closed] = [sorted.filter(isOpen), sorted.filter((one) => !isOpen(one))];
  return (
    <>
      <h2 className={styles.section}>{say("portal.yours")}</h2>
      {lists.every(({ isPending }) => !isPending) && records.length === 0 && <p className={styles.none}>{say("portal.nothing")}</p>}
      <Records items={open} />
      {closed.length > 0 && (
        <details className={styles.closed}>
          <summary>{say("portal.closed", { count: closed.length })}</summary>
          <Records items={closed} />
        </details>
      )}
    </>
  );
}

function Records({ items }: { items: { record: RecordView; process: Process | undefined }[] }) {
  return (
    <ul className={styles.records}>
      {items.map(({ record, process }) => (
        <li key={record.id}>
          <Link to={place.record(process?.collection ?? record.process, record.number)} className={styles.record}>
            <strong>{headline(record)}</strong>
            <StateBadge state={record.state} process={process} />
            <small>
              {record.number} · {process?.title} · <Moment at={record.updated_at} />
            </small>
          </Link>
        </li>
      ))}
    </ul>
  );
}
