/** A place to say something about a record. */

import { Button, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type KeyboardEvent, type RefObject } from "react";
import { ask } from "../api/client";
import type { Process, RecordView } from "../api/model";
import { useSay } from "../i18n/words";
import { api } from "../paths";
import { ProblemBox } from "../ui/ProblemBox";
import styles from "./Timeline.module.css";

export function Composer({ process, record, input }: { process: Process; record: RecordView; input: RefObject<HTMLTextAreaElement | null> }) {
  const say = useSay();
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async () => {
    if (text.trim() === "") return;
    setBusy(true);
    try {
      await ask(api.more(process.collection, record.number, "comments"), { method: "POST", body: { text } });
      setText("");
      setError(null);
      await client.invalidateQueries({ queryKey: ["record", process.collection, record.number] });
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
    if (event.key === "Escape") input.current?.blur();
  };
  return (
    <div className={styles.composer}>
      <Textarea ref={input} variant="unstyled" autosize minRows={2} maxRows={12} aria-label={say("record.comment")} placeholder={say("record.commentHelp", { number: record.number })} value={text} onChange={(event) => setText(event.currentTarget.value)} onKeyDown={press} />
      <ProblemBox error={error} />
      <div className={styles.send}>
        <span>Ctrl + Enter</span>
        <Button size="compact-sm" loading={isBusy} onClick={() => void send()}>
          {say("record.send")}
        </Button>
      </div>
    </div>
  );
}
