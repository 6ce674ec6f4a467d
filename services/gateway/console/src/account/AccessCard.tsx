/** How a person comes in, for administrators: a one-time link, or a password that is told them. */

import { Button, Modal } from "@mantine/core";
import { KeyRound, Link2 } from "lucide-react";
import { useState } from "react";
import { ask } from "../api/client";
import type { Data, Process, RecordView } from "../api/model";
import { asking, schemaOf, type Asked } from "../fields/asked";
import { CommandForm } from "../fields/CommandForm";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import card from "../record/Card.module.css";
import { useWho } from "../session/session";
import { failure, notice } from "../ui/Notice";
import styles from "./AccountPage.module.css";
import { makeLink, OneTimeLink } from "./OneTimeLink";

const PERSON = "person";
const PASSWORDS = "passwords";

export function AccessCard({ process, record }: { process: Process; record: RecordView }) {
  const say = useSay();
  const who = useWho();
  const [link, setLink] = useState<string | null>(null);
  const [isSetting, setSetting] = useState(false);
  if (record.process !== PERSON || record.closed_at !== null || !who.roles.includes("administrator")) return null;
  const asked: Asked[] = [{ name: "password", label: say("account.new"), schema: { type: "string", maxLength: 200 } }];
  const make = () => makeLink(record.number).then(setLink).catch(failure);
  const set = async (data: Data) => {
    await ask(api.collection(PASSWORDS), { method: "POST", body: { person: record.number, password: data.password ?? "" } });
    notice(say("account.passwordSet"));
    setSetting(false);
  };
  return (
    <section className={card.card}>
      <h2>{say("account.access")}</h2>
      <div className={styles.buttons}>
        <Button size="compact-sm" variant="default" leftSection={<Link2 size={14} aria-hidden />} onClick={() => void make()}>
          {say("account.link")}
        </Button>
        <Button size="compact-sm" variant="default" leftSection={<KeyRound size={14} aria-hidden />} onClick={() => setSetting(true)}>
          {say("account.setPassword")}
        </Button>
      </div>
      <Modal opened={link !== null} onClose={() => setLink(null)} title={String(record.data.name)} size="lg" closeButtonProps={{ "aria-label": say("common.close") }}>
        {link !== null && <OneTimeLink link={link} />}
      </Modal>
      <Modal opened={isSetting} onClose={() => setSetting(false)} title={say("account.setPassword")} closeButtonProps={{ "aria-label": say("common.close") }}>
        <CommandForm schema={schemaOf(asked, ["password"])} process={asking(process, asked)} submit={say("account.setPassword")} onSubmit={set} onCancel={() => setSetting(false)} />
      </Modal>
    </section>
  );
}
