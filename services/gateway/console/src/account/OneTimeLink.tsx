/** A link by which a person comes in once; it is shown now and never again. */

import { Button, CopyButton, TextInput } from "@mantine/core";
import { Copy } from "lucide-react";
import { ask } from "../api/client";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import styles from "./AccountPage.module.css";

const LINKS = "sign-in-links";

/** Makes one for a person, by number. */
export async function makeLink(person: string): Promise<string> {
  const { ticket } = await ask<{ ticket: string }>(api.collection(LINKS), { method: "POST", body: { person } });
  return `${location.origin}/#ticket=${ticket}`;
}

export function OneTimeLink({ link }: { link: string }) {
  const say = useSay();
  return (
    <div className={styles.link}>
      <TextInput label={say("account.link")} description={say("account.linkHelp")} readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
      <CopyButton value={link}>
        {({ copied, copy }) => (
          <Button variant="default" leftSection={<Copy size={15} aria-hidden />} onClick={copy}>
            {say(copied ? "account.copied" : "account.copy")}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}
