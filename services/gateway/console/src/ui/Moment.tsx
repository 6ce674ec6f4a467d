/** A moment: how long ago, and exactly when on hover. */

import { useEffect, useState } from "react";
import { useLanguage } from "../i18n/words";
import { absolute, exact, relative } from "./time";

/** What is said from now is said anew this often. */
const EVERY_MS = 30_000;

type Props = {
  at: string;
  /** The date itself, instead of how long ago. */
  full?: boolean;
  /** The zone in which it was promised. */
  zone?: string | null;
};

export function Moment({ at, full = false, zone = null }: Props) {
  const { code, say } = useLanguage();
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const moment = new Date(at);
  const text = full ? absolute(moment, code) : (relative(moment, now, code) ?? say("time.now"));
  return (
    <time dateTime={at} title={exact(moment, code, zone)}>
      {text}
    </time>
  );
}
