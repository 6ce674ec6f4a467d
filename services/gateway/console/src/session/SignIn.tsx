/** The page for signing in: with login and password, or with a token. */

import { Button, PasswordInput, SegmentedControl, Stack, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import type { Who } from "../api/model";
import icon from "../icon.svg";
import { useSay } from "../i18n/words";
import { ProblemBox } from "../ui/ProblemBox";
import { signIn } from "./session";
import styles from "./SignIn.module.css";

export function SignIn({ reason, onSignedIn }: { reason: string | null; onSignedIn: (who: Who) => void }) {
  const say = useSay();
  const [method, setMethod] = useState<"password" | "token">("password");
  const [login, setLogin] = useState("");
  const [secret, setSecret] = useState("");
  const [error, setError] = useState<unknown>(reason);
  const [isBusy, setBusy] = useState(false);

  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      onSignedIn(await signIn(method === "token" ? { token: secret } : { login, password: secret }));
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };

  return (
    <main className={styles.page}>
      <form className={styles.card} onSubmit={(event) => void send(event)}>
        <Stack gap="md">
          <div className={styles.brand}>
            <img src={icon} alt="" width={36} height={36} />
            <div>
              <h1>{say("signIn.title")}</h1>
              <p>
                {say("app.name")} · {say("app.tagline")}
              </p>
            </div>
          </div>
          <SegmentedControl
            fullWidth
            aria-label={say("signIn.method")}
            value={method}
            onChange={(value) => {
              setMethod(value === "token" ? "token" : "password");
              setError(null);
            }}
            data={[
              { value: "password", label: say("signIn.withPassword") },
              { value: "token", label: say("signIn.withToken") },
            ]}
          />
          {method === "password" && (
            <TextInput label={say("signIn.login")} autoComplete="username" required autoFocus value={login} onChange={(event) => setLogin(event.currentTarget.value)} />
          )}
          <PasswordInput
            label={say(method === "token" ? "signIn.token" : "signIn.password")}
            description={method === "token" ? say("signIn.tokenHelp") : null}
            visibilityToggleButtonProps={{ "aria-label": say("signIn.show") }}
            autoComplete={method === "token" ? "off" : "current-password"}
            required
            value={secret}
            onChange={(event) => setSecret(event.currentTarget.value)}
          />
          <ProblemBox error={error} />
          <Button type="submit" loading={isBusy} fullWidth>
            {say("signIn.submit")}
          </Button>
        </Stack>
      </form>
    </main>
  );
}
