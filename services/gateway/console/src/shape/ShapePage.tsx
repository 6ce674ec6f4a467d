/** Shaping a process: its definition, what differs from the one in force, its versions, and moving records. */

import { Alert, Button, Tabs } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { ask } from "../api/client";
import type { Process, RecordView } from "../api/model";
import { process as processQuery, processes } from "../api/queries";
import { useSay } from "../i18n/words";
import { api, place } from "../paths";
import { GuardedButton } from "../ui/GuardedButton";
import { notice } from "../ui/Notice";
import { ProblemBox } from "../ui/ProblemBox";
import { Difference } from "./Difference";
import { useDraft } from "./draft";
import { Editor, useLook } from "./Editor";
import { Migrate } from "./Migrate";
import { text as textQuery } from "./queries";
import { VersionsList } from "./VersionsList";
import type { ShapeSearch } from "../routes";
import styles from "./ShapePage.module.css";

const route = getRouteApi("/processes/$name");
const PARTS = ["edit", "difference", "versions", "migrate"] as const;

export function ShapePage() {
  const say = useSay();
  const { name } = route.useParams();
  const process = useQuery(processQuery(name));
  const present = useQuery(textQuery(name, "present"));
  const service = useQuery(processes).data?.find((known) => known.process === name)?.service;
  useEffect(() => {
    document.title = process.data ? `${process.data.title} · ${say("nav.processes")}` : say("app.name");
  }, [process.data, say]);
  if (!process.data || !present.data || service === undefined) return <ProblemBox error={process.error ?? present.error} />;
  return <Shaped key={name} process={process.data} service={service} present={present.data} />;
}

type Props = { process: Process; service: string; present: { text: string; tag: string } };

function Shaped({ process, service, present }: Props) {
  const say = useSay();
  const { show } = route.useSearch();
  const navigate = route.useNavigate();
  const [draft, setDraft] = useDraft(process.process);
  const text = draft?.text ?? present.text;
  const { found, isPending } = useLook(process.process, text);
  const write = (written: string) =>
    setDraft(written === present.text ? null : { text: written, tag: draft?.tag ?? present.tag, base: draft?.base ?? process.version });
  const isOvertaken = draft !== null && draft.tag !== present.tag;
  const refused = process.publish?.refused_because ?? null;
  const why = refused ?? (draft === null ? say("shape.unchanged") : isPending ? say("shape.checking") : found?.is_sound ? null : say("shape.unsound"));
  return (
    <>
      <p className={styles.way}>
        <Link to={place.processes}>{say("nav.processes")}</Link>
      </p>
      <div className={styles.head}>
        <h1>{process.title}</h1>
        <span className={styles.version}>{say("shape.version", { version: process.version })}</span>
        <div className={styles.actions}>
          {draft && (
            <Button variant="default" onClick={() => setDraft(null)}>
              {say("shape.discard")}
            </Button>
          )}
          <Publish process={process} refusal={why} draft={draft ?? { text, tag: present.tag }} onDone={() => setDraft(null)} />
        </div>
      </div>
      {isOvertaken && (
        <Alert color="red" variant="light" title={say("shape.overtaken", { version: process.version })} className={styles.alert}>
          <p>{say("shape.overtakenHelp", { base: draft.base })}</p>
          <Button size="xs" variant="default" onClick={() => setDraft({ ...draft, tag: present.tag, base: process.version })}>
            {say("shape.goOn", { version: process.version })}
          </Button>
        </Alert>
      )}
      <Tabs
        value={show ?? "edit"}
        keepMounted={false}
        onChange={(part) => void navigate({ search: (part === "edit" ? {} : { show: part }) as ShapeSearch })}
      >
        <Tabs.List className={styles.tabs}>
          {PARTS.map((part) => (
            <Tabs.Tab key={part} value={part}>
              {say(`shape.${part}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="edit">
          {refused !== null && <p className={styles.note}>{say("shape.readOnly", { because: refused })}</p>}
          <Editor process={process} text={text} isReadOnly={refused !== null} onChange={write} />
        </Tabs.Panel>
        <Tabs.Panel value="difference">
          <Difference process={process} texts={[present.text, text]} changes={found?.changes ?? []} />
        </Tabs.Panel>
        <Tabs.Panel value="versions">
          <VersionsList process={process} service={service} />
        </Tabs.Panel>
        <Tabs.Panel value="migrate">
          <Migrate process={process} service={service} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

type PublishProps = { process: Process; refusal: string | null; draft: { text: string; tag: string }; onDone: () => void };

function Publish({ process, refusal, draft, onDone }: PublishProps) {
  const say = useSay();
  const client = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const publish = async () => {
    setBusy(true);
    setError(null);
    try {
      const done = await ask<RecordView | { version: number }>(api.process(process.process), { method: "PUT", text: draft.text, tag: draft.tag });
      onDone();
      notice("state" in done ? say("shape.proposed", { number: done.number }) : say("shape.published", { version: done.version }));
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
      // Whether it was done, refused or overtaken: what is in force is read anew.
      await renewed(client, process.process);
    }
  };
  return (
    <>
      <GuardedButton refusal={refusal} loading={isBusy} onPress={() => void publish()}>
        {say(process.publish?.needs_another ? "shape.propose" : "shape.publish")}
      </GuardedButton>
      {error !== null && (
        <div className={styles.problem}>
          <ProblemBox error={error} />
        </div>
      )}
    </>
  );
}

/** Everything that is told of a process is another's from now on: forms, lists and pictures, too. */
export async function renewed(client: ReturnType<typeof useQueryClient>, name: string): Promise<void> {
  const kinds = ["process", "processes", "schemas", "versions", "publications", "look", "counts"];
  await client.invalidateQueries({ predicate: ({ queryKey: [kind, of] }) => kinds.includes(String(kind)) && (of === undefined || of === name || kind === "publications") });
}
