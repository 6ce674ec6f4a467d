/** What the draft says otherwise than the version in force: place by place, and line by line. */

import { useEffect, useRef } from "react";
import type { Process } from "../api/model";
import { useSay } from "../i18n/words";
import { Changes } from "./Editor";
import type { Change } from "./queries";
import styles from "./Difference.module.css";

type Props = { process: Process; texts: [present: string, draft: string]; changes: Change[] };

export function Difference({ process, texts: [present, draft], changes }: Props) {
  const say = useSay();
  const host = useRef<HTMLDivElement>(null);
  const [inForce, mine] = [say("shape.version", { version: process.version }), say("shape.draft")];
  const unchanged = say("shape.unchangedLines", { count: "$" });
  const isSame = present === draft;
  useEffect(() => {
    let made: { destroy: () => void } | null = null;
    let isGone = false;
    if (isSame) return;
    void import("./editor").then(({ openDifference }) => {
      if (!isGone && host.current) made = openDifference(host.current, [inForce, mine], [present, draft], unchanged);
    });
    return () => {
      isGone = true;
      made?.destroy();
    };
  }, [isSame, inForce, mine, present, draft, unchanged]);
  if (isSame) return <p className={styles.none}>{say("shape.noChanges")}</p>;
  return (
    <div className={styles.all}>
      <Changes changes={changes} />
      <section className={styles.frame} aria-label={say("shape.lines")}>
        <div className={styles.sides} aria-hidden>
          <span>{inForce}</span>
          <span>{mine}</span>
        </div>
        <div ref={host} />
      </section>
    </div>
  );
}
