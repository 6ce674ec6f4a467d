/** Lets nobody further who is not signed in. */

import { Loader } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { carry, Problem } from "../api/client";
import { whoami } from "../api/queries";
import { useSay } from "../i18n/words";
import { place } from "../paths";
import { ProblemBox } from "../ui/ProblemBox";
import { SignIn } from "./SignIn";
import { signIn, takeTicket, WhoContext } from "./session";
import styles from "./SignIn.module.css";

const ticket = takeTicket();

export function Door({ children }: { children: ReactNode }) {
  const say = useSay();
  const client = useQueryClient();
  const [isOpening, setOpening] = useState(ticket !== null);
  const [refused, setRefused] = useState<unknown>(null);
  const session = useQuery({ ...whoami, enabled: !isOpening });
  useEffect(() => {
    if (ticket === null || !isOpening) return;
    // Asked once even where React runs effects twice: the second finds the session of the first.
    void openOnce()
      .then((who) => {
        // A person comes by a link once: to set a password.
        if (who.id.startsWith("person:")) history.replaceState(null, "", place.account);
        client.setQueryData(whoami.queryKey, who);
      })
      .catch((error: unknown) => setRefused(error))
      .finally(() => setOpening(false));
  }, [client, isOpening]);
  if (isOpening || session.isPending) {
    return (
      <main className={styles.page} aria-busy>
        <Loader aria-label={say("common.loading")} />
      </main>
    );
  }
  if (session.error) {
    return (
      <main className={styles.page}>
        <ProblemBox error={session.error} />
      </main>
    );
  }
  const who = session.data;
  if (!who) {
    const reason = refused instanceof Problem ? refused.message : null;
    return <SignIn reason={reason} onSignedIn={(next) => client.setQueryData(whoami.queryKey, next)} />;
  }
  carry(who.csrf_token);
  return <WhoContext.Provider value={who}>{children}</WhoContext.Provider>;
}

let opening: ReturnType<typeof signIn> | null = null;

function openOnce(): ReturnType<typeof signIn> {
  opening ??= signIn({ ticket: ticket ?? "" });
  return opening;
}
