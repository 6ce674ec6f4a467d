/** The filter expression itself, with what can stand where, and its faults in place. */

import { Textarea } from "@mantine/core";
import { useId, useRef, useState, type KeyboardEvent } from "react";
import type { Process } from "../api/model";
import { useSay } from "../i18n/words";
import { completions, type Completion } from "./filter";
import styles from "./ExpressionField.module.css";

const SHOWN = 8;

type Props = { process: Process; filter: string; fault: string | null; onChange: (filter: string | undefined) => void };

export function ExpressionField({ process, filter, fault, onChange }: Props) {
  const say = useSay();
  const [written, setWritten] = useState(filter);
  const [last, setLast] = useState(filter);
  const [at, setAt] = useState(0);
  const [offers, setOffers] = useState<Completion[]>([]);
  const box = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  if (filter !== last) {
    setLast(filter);
    setWritten(filter);
  }

  const write = (text: string, caret: number) => {
    setWritten(text);
    setOffers(completions(text.slice(0, caret), process).slice(0, SHOWN));
    setAt(0);
  };
  const complete = (offer: Completion) => {
    const caret = box.current?.selectionStart ?? written.length;
    const text = written.slice(0, offer.from) + offer.text + written.slice(caret);
    const next = offer.from + offer.text.length;
    write(text, next);
    // The caret follows once React has put the text there.
    requestAnimationFrame(() => box.current?.setSelectionRange(next, next));
  };
  const ask = () => {
    setOffers([]);
    const text = written.trim();
    setLast(text);
    onChange(text === "" ? undefined : text);
  };
  const press = (event: KeyboardEvent) => {
    const offer = offers[at];
    if (offer && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      setAt((at + (event.key === "ArrowDown" ? 1 : offers.length - 1)) % offers.length);
    } else if (offer && (event.key === "Tab" || (event.key === "Enter" && !event.ctrlKey))) {
      event.preventDefault();
      complete(offer);
    } else if (event.key === "Enter") {
      event.preventDefault();
      ask();
    } else if (event.key === "Escape") setOffers([]);
  };
  const isOpen = offers.length > 0;
  return (
    <div className={styles.field}>
      <Textarea
        ref={box}
        classNames={{ input: styles.input }}
        aria-label={say("list.expression")}
        description={say("list.expressionHelp", { example: "record.state == 'new' && record.priority <= 2" })}
        inputWrapperOrder={["input", "error", "description"]}
        autosize
        minRows={1}
        spellCheck={false}
        role="combobox"
        aria-expanded={isOpen}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={isOpen ? `${listId}-${at}` : undefined}
        error={fault}
        value={written}
        onChange={(event) => write(event.currentTarget.value, event.currentTarget.selectionStart)}
        onKeyDown={press}
        onBlur={() => {
          setOffers([]);
          if (written.trim() !== last) ask();
        }}
      />
      <ul id={listId} role="listbox" aria-label={say("list.expression")} className={styles.offers} hidden={!isOpen}>
        {offers.map((offer, index) => (
          <li
            key={offer.text}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === at}
            onMouseDown={(event) => {
              event.preventDefault();
              complete(offer);
            }}
          >
            {offer.text}
          </li>
        ))}
      </ul>
    </div>
  );
}
