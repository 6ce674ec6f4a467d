/** Letting somebody in: a person with a login, and the link for their first time. */

import { Button, Modal } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { UserRoundPlus } from "lucide-react";
import { useState } from "react";
import { ask } from "../api/client";
import type { Data, RecordView } from "../api/model";
import { process as processQuery, schemas } from "../api/queries";
import { CommandForm } from "../fields/CommandForm";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import card from "../record/Card.module.css";
import styles from "./AccountPage.module.css";
import { makeLink, OneTimeLink } from "./OneTimeLink";

const PERSON = "person";
const PERSONS = "persons";
const FIELDS = ["name", "login", "email", "roles"];

export function InviteCard() {
  const say = useSay();
  const client = useQueryClient();
  const [isOpen, open] = useDisclosure(false);
  const [made, setMade] = useState<{ name: string; link: string } | null>(null);
  const process = useQuery({ ...processQuery(PERSON), enabled: isOpen });
  const schema = useQuery({ ...schemas(PERSON), enabled: isOpen });
  const invite = async (data: Data) => {
    const person = await ask<RecordView>(api.collection(PERSONS), { method: "POST", body: data });
    await client.invalidateQueries({ queryKey: ["records", PERSONS] });
    setMade({ name: String(person.data.name), link: await makeLink(person.number) });
    open.close();
  };
  return (
    <section className={card.card}>
      <h2>{say("account.people")}</h2>
      <p className={styles.note}>{say("account.peopleHelp")}</p>
      <Button variant="default" leftSection={<UserRoundPlus size={16} aria-hidden />} onClick={open.open}>
        {say("account.invite")}
      </Button>
      <Modal opened={isOpen} onClose={open.close} title={say("account.invite")} closeButtonProps={{ "aria-label": say("common.close") }}>
        {process.data && schema.data && (
          <CommandForm schema={{ ...schema.data.open, required: ["name", "login"] }} process={process.data} fields={FIELDS} submit={say("account.invite")} onSubmit={invite} onCancel={open.close} />
        )}
      </Modal>
      <Modal opened={made !== null} onClose={() => setMade(null)} title={made?.name} size="lg" closeButtonProps={{ "aria-label": say("common.close") }}>
        {made && <OneTimeLink link={made.link} />}
      </Modal>
    </section>
  );
}
