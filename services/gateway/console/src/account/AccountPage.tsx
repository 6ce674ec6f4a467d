/** What everybody settles for themselves: the password, and where one is signed in. Administrators let people in. */

import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { ask } from "../api/client";
import type { RecordView } from "../api/model";
import { processes, some } from "../api/queries";
import { spoken } from "../fields/words";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import card from "../record/Card.module.css";
import { useWho } from "../session/session";
import { Moment } from "../ui/Moment";
import { failure } from "../ui/Notice";
import { ProblemBox } from "../ui/ProblemBox";
import { InviteCard } from "./InviteCard";
import { PasswordCard } from "./PasswordCard";
import styles from "./AccountPage.module.css";

const SESSIONS = "sessions";
const SHOWN = 50;

export function AccountPage() {
  const say = useSay();
  const who = useWho();
  const isPerson = who.id.startsWith("person:");
  useEffect(() => {
    document.title = `${say("account.title")} · ${say("app.name")}`;
  }, [say]);
  return (
    <div className={styles.page}>
      <header>
        <h1>{who.name}</h1>
        <p className={styles.roles}>{who.roles.length > 0 ? who.roles.map(spoken).join(", ") : say("account.noRoles")}</p>
      </header>
      {isPerson && <PasswordCard />}
      <Sessions owner={who.id} own={who.session} />
      {who.roles.includes("administrator") && <InviteCard />}
    </div>
  );
}

/** Where one is signed in, the own session first; others are ended here, and one's own by signing out. */
function Sessions({ owner, own }: { owner: string; own: string | null }) {
  const say = useSay();
  const client = useQueryClient();
  const isKept = useQuery(processes).data?.some((process) => process.collection === SESSIONS) ?? false;
  const filter = `record.owner == '${owner}' && record.state == 'active'`;
  const sessions = useQuery({ ...some(SESSIONS, { filter, sort: "-opened_at" }, SHOWN), enabled: isKept });
  const isOwn = (session: RecordView) => session.id === own;
  const items = (sessions.data?.items ?? []).toSorted((one, other) => Number(isOwn(other)) - Number(isOwn(one)));
  const end = async (session: RecordView) => {
    try {
      await ask(api.transition(SESSIONS, session.number, "end"), { method: "POST", body: {} });
      await client.invalidateQueries({ queryKey: ["records", SESSIONS] });
    } catch (error) {
      failure(error);
    }
  };
  return (
    <section className={card.card}>
      <h2>{say("account.sessions")}</h2>
      <ProblemBox error={sessions.error} />
      <ul className={card.list}>
        {items.map((session) => (
          <li key={session.id} className={styles.session}>
            <span>
              {say("account.since")} <Moment at={session.opened_at} full />
            </span>
            {isOwn(session) ? (
              <strong className={styles.own}>{say("account.thisOne")}</strong>
            ) : (
              <Button size="compact-sm" variant="default" aria-label={`${say("account.end")}: ${session.number}`} onClick={() => void end(session)}>
                {say("account.end")}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
