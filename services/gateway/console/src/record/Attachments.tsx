/** The files of a record: to be saved, and a place to drop new ones. */

import { Button, FileButton } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { FileText, Paperclip } from "lucide-react";
import { useRef, useState, type DragEvent } from "react";
import { send } from "../api/client";
import type { RecordView } from "../api/model";
import { attachments } from "../api/queries";
import { useLanguage } from "../i18n/words";
import { api } from "../paths";
import { Moment } from "../ui/Moment";
import { ProblemBox } from "../ui/ProblemBox";
import { bytes } from "../ui/size";
import card from "./Card.module.css";
import styles from "./Attachments.module.css";

export function Attachments({ collection, record }: { collection: string; record: RecordView }) {
  const { code, say } = useLanguage();
  const client = useQueryClient();
  const files = useQuery(attachments(collection, record.number));
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const [isOver, setOver] = useState(false);
  const again = useRef<() => void>(null);

  const add = async (chosen: File[]) => {
    setBusy(true);
    setError(null);
    try {
      // One after the other: each is a revision of the record.
      for (const file of chosen) await send(api.more(collection, record.number, "attachments"), file);
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
      again.current?.();
      await client.invalidateQueries({ queryKey: ["record", collection, record.number] });
    }
  };
  const over = (event: DragEvent) => {
    event.preventDefault();
    setOver(event.type === "dragover");
    if (event.type === "drop") void add([...event.dataTransfer.files]);
  };
  return (
    <section className={`${card.card} ${styles.files}`} data-over={isOver || undefined} onDragOver={over} onDragLeave={over} onDrop={over} aria-label={say("record.attachments")}>
      <header>
        <h2>{say("record.attachments")}</h2>
        <FileButton multiple resetRef={again} onChange={(chosen) => void add(chosen)} inputProps={{ "aria-label": say("record.attach") }}>
          {(props) => (
            <Button {...props} size="compact-sm" variant="subtle" loading={isBusy} leftSection={<Paperclip size={14} aria-hidden />}>
              {say("record.attach")}
            </Button>
          )}
        </FileButton>
      </header>
      <ProblemBox error={files.error ?? error} />
      {files.data?.length === 0 && <p className={card.none}>{say("record.noAttachments")}</p>}
      <ul className={card.list}>
        {files.data?.map((file) => (
          <li key={file.rev} className={styles.file}>
            <FileText size={16} aria-hidden />
            <span>
              <a href={api.file(collection, record.number, file.rev)} download={file.name}>
                {file.name}
              </a>
              <small>
                {bytes(file.size, code)} · {file.by.name} · <Moment at={file.at} />
              </small>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
