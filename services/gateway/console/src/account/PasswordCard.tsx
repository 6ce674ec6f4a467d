/** One's own password: the present one is asked for, unless one came in by a link because it was forgotten. */

import { Button, PasswordInput, Stack } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { ask, Problem } from "../api/client";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import card from "../record/Card.module.css";
import { useWho } from "../session/session";
import { notice } from "../ui/Notice";
import { fieldOf, ProblemBox } from "../ui/ProblemBox";
import styles from "./AccountPage.module.css";

export function PasswordCard() {
  const say = useSay();
  const who = useWho();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const faultOf = (name: string) => (error instanceof Problem ? error.faults.find((fault) => fieldOf(fault.path) === name)?.message : undefined);
  const differs = again !== "" && again !== password;
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (password !== again) return;
    setBusy(true);
    setError(null);
    try {
      await ask(api.password, { method: "POST", body: { password, ...(current !== "" && { current }) } });
      notice(say("account.passwordSet"));
      setCurrent("");
      setPassword("");
      setAgain("");
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  const shows = { visibilityToggleButtonProps: { "aria-label": say("signIn.show") } };
  return (
    <section className={card.card}>
      <h2>{say("account.password")}</h2>
      <p className={styles.note}>{say("account.passwordHelp")}</p>
      <form onSubmit={(event) => void save(event)} noValidate>
        {/* So that a password manager knows whose it is. */}
        <input type="text" name="username" autoComplete="username" value={who.name} readOnly hidden />
        <Stack gap="sm">
          <PasswordInput {...shows} label={say("account.current")} autoComplete="current-password" error={faultOf("current")} value={current} onChange={(event) => setCurrent(event.currentTarget.value)} />
          <PasswordInput {...shows} label={say("account.new")} required autoComplete="new-password" error={faultOf("password")} value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
          <PasswordInput {...shows} label={say("account.again")} required autoComplete="new-password" error={differs ? say("account.differs") : null} value={again} onChange={(event) => setAgain(event.currentTarget.value)} />
          <ProblemBox error={faultOf("current") === undefined && faultOf("password") === undefined ? error : null} />
          <Button type="submit" loading={isBusy}>
            {say("account.setPassword")}
          </Button>
        </Stack>
      </form>
    </section>
  );
}
