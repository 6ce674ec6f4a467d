/** Telling what is wrong, or ordering what is offered: what must be said first, the rest on demand. */

import { Button, Loader } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useEffect, useState } from "react";
import { ask } from "../api/client";
import type { Data, Field, Process, RecordView, Schema } from "../api/model";
import { catalogue, process as processQuery, processes, schemas } from "../api/queries";
import { asking } from "../fields/asked";
import { CommandForm } from "../fields/CommandForm";
import { useSay } from "../i18n/words";
import { api, place } from "../paths";
import { notice } from "../ui/Notice";
import { ProblemBox } from "../ui/ProblemBox";
import { answered, ORDERS, questions } from "./orders";
import styles from "./Portal.module.css";

const route = getRouteApi("/portal/new/$collection");

/** What people who are asked for nothing else still want to say. */
const WELCOME = ["description", "service"];

export function ReportPage() {
  const say = useSay();
  const { collection } = route.useParams();
  const known = useQuery(processes);
  const summary = known.data?.find((one) => one.collection === collection);
  const process = useQuery({ ...processQuery(summary?.process ?? ""), enabled: summary !== undefined });
  const schema = useQuery({ ...schemas(summary?.process ?? ""), enabled: summary !== undefined });
  useEffect(() => {
    document.title = `${summary?.title ?? ""} · ${say("app.name")}`;
  }, [summary, say]);
  if (known.data && !summary) return <p>{say("problem.notFound")}</p>;
  const error = known.error ?? process.error ?? schema.error;
  if (error) return <ProblemBox error={error} />;
  if (!process.data || !schema.data) return <Loader aria-label={say("common.loading")} />;
  return <Report key={collection} process={process.data} schema={schema.data.open} />;
}

function Report({ process, schema }: { process: Process; schema: Schema }) {
  const say = useSay();
  const client = useQueryClient();
  const navigate = route.useNavigate();
  const { service, item } = route.useSearch();
  const [isWhole, setWhole] = useState(false);
  const isOrder = item !== undefined;
  const services = useQuery({ ...catalogue, enabled: isOrder });
  const asked = questions(services.data, service, item);
  const given: Data = isOrder ? { title: item, [ORDERS.item]: item, ...(service !== undefined && { [ORDERS.service]: service }) } : {};
  // What was chosen in the catalogue is not asked again.
  const isChosen = (name: string) => isOrder && (name === ORDERS.item || name === ORDERS.service);
  const isFirst = (field: Field) => !field.read_only && !isChosen(field.name) && (field.required || WELCOME.includes(field.name));
  const first = process.fields.filter((field) => isFirst(field) && field.name in (schema.properties ?? {})).map((field) => field.name);
  const extra = asking(process, asked);
  const whole: Process = { ...process, fields: [...process.fields, ...extra.fields], labels: { ...process.labels, fields: { ...process.labels.fields, ...extra.labels.fields } } };
  const wanted = { ...schema, properties: { ...schema.properties, ...Object.fromEntries(asked.map((one) => [one.name, one.schema])) }, required: process.fields.filter((field) => field.required && !field.read_only).map((field) => field.name) };
  const open = async (data: Data) => {
    const made = await ask<RecordView>(api.collection(process.collection), { method: "POST", body: answered(data) });
    await client.invalidateQueries({ queryKey: ["records", process.collection] });
    notice(say("portal.opened", { number: made.number }));
    await navigate({ to: place.record(process.collection, made.number) });
  };
  if (isOrder && services.isPending) return <Loader aria-label={say("common.loading")} />;
  return (
    <>
      <Link to={place.overview} className={styles.back}>
        <ArrowLeft size={15} aria-hidden />
        {say("portal.home")}
      </Link>
      <h1 className={styles.title}>{isOrder ? item : process.title}</h1>
      <div className={styles.form}>
        <CommandForm
          key={isWhole ? "whole" : "first"}
          schema={wanted}
          process={whole}
          given={given}
          {...(!isWhole && { fields: [...first, ...asked.map(({ name }) => name)] })}
          submit={say("record.send")}
          onSubmit={open}
          onCancel={() => void navigate({ to: place.overview })}
        />
      </div>
      {!isWhole && (
        <Button className={styles.more} variant="subtle" size="compact-sm" onClick={() => setWhole(true)}>
          {say("portal.more")}
        </Button>
      )}
    </>
  );
}
