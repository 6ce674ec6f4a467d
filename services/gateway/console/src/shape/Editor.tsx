/** A definition being written: the editor, and beside it what stands against it and how it would look. */

import { Loader } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { EditorView } from "@codemirror/view";
import { CircleCheck } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Process } from "../api/model";
import { ProcessMap } from "../diagram/ProcessMap";
import { useSay } from "../i18n/words";
import { ProblemBox } from "../ui/ProblemBox";
import { offersAt } from "./complete";
import { formatSchema, look, type Change, type Flaw, type Look } from "./queries";
import styles from "./Editor.module.css";

/** Nobody wants to be told of faults in a word that is not finished. */
const PAUSE_MS = 400;

type Tools = typeof import("./editor");
type Props = { process: Process; text: string; isReadOnly: boolean; onChange: (text: string) => void };

export function Editor({ process, text, isReadOnly, onChange }: Props) {
  const say = useSay();
  const { found, error, isPending } = useLook(process.process, text);
  const [drawn, setDrawn] = useState<Process | null>(null);
  const would = found?.would_be ?? null;
  // What cannot be read at this moment leaves the picture of what could.
  if (would && would !== drawn) setDrawn(would);
  const { host, view, tools } = useEditor({ label: say("shape.editor", { name: process.title }), text, isReadOnly, onChange, names: drawn ?? process });
  const flaws = found?.faults;
  useEffect(() => {
    if (view && tools && flaws) tools.showFaults(view, flaws);
  }, [view, tools, flaws]);
  const go = ({ line, column }: Flaw) => {
    if (view && tools) tools.goTo(view, line, column);
  };
  return (
    <div className={styles.both}>
      <div ref={host} className={styles.editor}>
        {!view && <Loader size="sm" aria-label={say("common.loading")} />}
      </div>
      <div className={styles.beside}>
        <ProblemBox error={error} />
        <Faults flaws={flaws} isPending={isPending} onGo={go} />
        <section className={styles.map} aria-label={say("record.diagram")}>
          <ProcessMap process={drawn ?? process} label={say("record.diagram")} direction="TB" before={process} />
        </section>
        <Changes changes={found?.changes ?? []} />
      </div>
    </div>
  );
}

/** What the API says of the text, once its writer pauses. */
export function useLook(name: string, text: string): { found: Look | undefined; error: unknown; isPending: boolean } {
  const [settled] = useDebouncedValue(text, PAUSE_MS);
  const { data, error, isFetching } = useQuery({ ...look(name, settled), placeholderData: keepPreviousData });
  return { found: data, error, isPending: isFetching || settled !== text };
}

type Wishes = { label: string; text: string; isReadOnly: boolean; onChange: (text: string) => void; names: Process };

function useEditor({ label, text, isReadOnly, onChange, names }: Wishes) {
  const host = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<EditorView | null>(null);
  const [tools, setTools] = useState<Tools | null>(null);
  const schema = useQuery(formatSchema).data;
  // The editor is made once; what it asks for is what there is when it asks.
  const latest = useRef({ text, onChange, names, schema });
  useEffect(() => {
    latest.current = { text, onChange, names, schema };
  });
  useEffect(() => {
    let made: EditorView | null = null;
    let isGone = false;
    void import("./editor").then((editor) => {
      if (isGone || !host.current) return;
      made = editor.openEditor(host.current, {
        label,
        text: latest.current.text,
        isReadOnly,
        onChange: (written) => latest.current.onChange(written),
        complete: (written, offset) => {
          const { schema: known, names: process } = latest.current;
          return known ? offersAt(written, offset, known, process) : null;
        },
      });
      setTools(editor);
      setView(made);
    });
    return () => {
      isGone = true;
      made?.destroy();
      setView(null);
    };
  }, [label, isReadOnly]);
  useEffect(() => {
    // What came from elsewhere: another version was taken.
    if (view && view.state.doc.toString() !== text) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  }, [view, text]);
  return { host, view, tools };
}

function Faults({ flaws, isPending, onGo }: { flaws: Flaw[] | undefined; isPending: boolean; onGo: (flaw: Flaw) => void }) {
  const say = useSay();
  return (
    <section className={styles.faults} aria-label={say("shape.faults")} aria-live="polite" aria-busy={isPending}>
      {flaws?.length === 0 ? (
        <p className={styles.sound}>
          <CircleCheck size={16} aria-hidden />
          {say("shape.sound")}
        </p>
      ) : (
        <>
          <h3>{flaws ? say("shape.faultCount", { count: flaws.length }) : say("common.loading")}</h3>
          <ul>
            {flaws?.map((flaw) => (
              <li key={`${flaw.line}:${flaw.column}:${flaw.message}`}>
                <button type="button" onClick={() => onGo(flaw)}>
                  <span>{say("shape.line", { line: flaw.line })}</span>
                  {flaw.message}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** What the draft says otherwise, place by place. */
export function Changes({ changes }: { changes: Change[] }) {
  const say = useSay();
  if (changes.length === 0) return <p className={styles.none}>{say("shape.noChanges")}</p>;
  const kind = ({ was, is }: Change) => (was === null ? "added" : is === null ? "removed" : "changed");
  return (
    <section className={styles.changes} aria-label={say("shape.changes")}>
      <h3>{say("shape.changeCount", { count: changes.length })}</h3>
      <ul>
        {changes.map((change) => (
          <li key={change.path} data-kind={kind(change)}>
            <span>{say(`shape.${kind(change)}`)}</span>
            <code>{change.path}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}
