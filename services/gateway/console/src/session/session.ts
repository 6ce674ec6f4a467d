/** Who is in, and how they come and go. */

import { useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { ask, carry } from "../api/client";
import type { Who } from "../api/model";
import { whoami } from "../api/queries";
import { api } from "../paths";

export const WhoContext = createContext<Who | null>(null);

/** Whoever is signed in; pages are only drawn when somebody is. */
export function useWho(): Who {
  const who = useContext(WhoContext);
  if (!who) throw new Error("nobody is signed in");
  return who;
}

export type Shown = { login: string; password: string } | { token: string } | { ticket: string };

export async function signIn(shown: Shown): Promise<Who> {
  const who = await ask<Who>(api.session, { method: "POST", body: shown });
  carry(who.csrf_token);
  return who;
}

export function useSignOut(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await ask<void>(api.session, { method: "DELETE" });
    carry(null);
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== whoami.queryKey[0] });
    client.setQueryData(whoami.queryKey, null);
  };
}

/** The ticket of a one-time link, which stands after the `#` so that no server ever logs it. */
export function takeTicket(): string | null {
  const ticket = new URLSearchParams(location.hash.slice(1)).get("ticket");
  if (ticket !== null) history.replaceState(null, "", location.pathname + location.search);
  return ticket;
}
