/** Gives every page its language, and the document's too. */

import { useEffect, useMemo, useState, type ReactNode } from "react";
import { LanguageContext, load, preferred, remember, sayIn, type Language } from "./words";

export function Speaking({ children }: { children: ReactNode }) {
  const [wished, choose] = useState(preferred);
  const [spoken, setSpoken] = useState<{ code: string; say: Language["say"] } | null>(null);
  useEffect(() => {
    let isCurrent = true;
    void load(wished).then((words) => {
      if (!isCurrent) return;
      document.documentElement.lang = wished;
      setSpoken({ code: wished, say: sayIn(words) });
    });
    return () => {
      isCurrent = false;
    };
  }, [wished]);
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
