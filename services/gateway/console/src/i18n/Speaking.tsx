/** Gives every page its language, and the document's too. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState, type ReactNode } from "react";
import { speak } from "../api/client";
import { whoami } from "../api/queries";
import { LanguageContext, load, preferred, remember, sayIn, type Language } from "./words";

export function Speaking({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [wished, choose] = useState(preferred);
  const [spoken, setSpoken] = useState<{ code: string; say: Language["say"] } | null>(null);
  useEffect(() => {
    let isCurrent = true;
    void load(wished).then((words) => {
      if (!isCurrent) return;
      document.documentElement.lang = wished;
      speak(wished);
      // What was read names things in the language before; who is in stays.
      void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== whoami.queryKey[0] });
      setSpoken({ code: wished, say: sayIn(words) });
    });
    return () => {
      isCurrent = false;
    };
  }, [wished, client]);
  const language = useMemo(() => {
    if (!spoken) return null;
    return {
      ...spoken,
      choose: (code: string) => {
        remember(code);
        choose(code);
      },
    };
  }, [spoken]);
  if (!language) return null;
  return <LanguageContext.Provider value={language}>{children}</LanguageContext.Provider>;
}
