/** The command palette: every list, every new record, a record by its number, what can be set. */

import { Modal, useMantineColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState, type KeyboardEvent } from "react";
import { processes, record, some } from "../api/queries";
import { headline } from "../fields/words";
import { languages, useLanguage } from "../i18n/words";
import { savedViews, searchOf } from "../list/views";
import { place } from "../paths";
import { useSignOut } from "../session/session";
import { offered } from "./offered";
import { usePinned } from "./remembered";
import styles from "./Palette.module.css";

type Entry = { id: string; kind: string; text: string; run: () => void };

const SHOWN = 12;
/** Fewer letters would find everything. */
const SHORTEST = 3;
/** Of each list. */
const FOUND = 4;
const NUMBER = /^([a-z]{2,5})-?0*(\d+)$/i;

export function Palette({ isOpen, onClose, onHelp }: { isOpen: boolean; onClose: () => void; onHelp: () => void }) {
  const { say } = useLanguage();
  return (
    <Modal.Root opened={isOpen} onClose={onClose} size="lg" yOffset="10vh" lockScroll={false}>
      <Modal.Overlay />
      <Modal.Content aria-label={say("palette.title")}>
        <Modal.Body p={0}>
          <Chooser onClose={onClose} onHelp={onHelp} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Chooser({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const { say } = useLanguage();
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const entries = useEntries(words, onHelp).slice(0, SHOWN);
  const chosen = Math.min(at, entries.length - 1);
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const press = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((chosen + step + entries.length) % Math.max(entries.length, 1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(entries[chosen]);
    }
  };
  return (
    <>
      <input
        className={styles.input}
        role="combobox"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={entries[chosen] ? `${listId}-${entries[chosen].id}` : undefined}
        aria-label={say("palette.input")}
        placeholder={say("palette.input")}
        data-autofocus
        value={words}
        onChange={(event) => {
          setWords(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <ul id={listId} role="listbox" aria-label={say("palette.title")} className={styles.list}>
        {entries.map((entry, index) => (
          <li key={entry.id} id={`${listId}-${entry.id}`} role="option" aria-selected={index === chosen} className={styles.entry} onMouseMove={() => setAt(index)} onClick={() => run(entry)}>
            <span>{entry.text}</span>
            <span className={styles.kind}>{entry.kind}</span>
          </li>
        ))}
      </ul>
      {entries.length === 0 && <p className={styles.empty}>{say("palette.empty")}</p>}
    </>
  );
}

function useEntries(words: string, onHelp: () => void): Entry[] {
  const { say, choose } = useLanguage();
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const signOut = useSignOut();
  const known = useQuery(processes).data ?? [];
  const go = (to: string) => () => void navigate({ to });
  const found = useNumbered(words);
  const lists = known.map(({ collection, title }) => ({ id: `go-${collection}`, kind: say("palette.go"), text: title, run: go(place.list(collection)) }));
  const news = known.map(({ collection, title }) => ({
    id: `new-${collection}`,
    kind: say("palette.create"),
    text: say("list.createOne", { name: title }),
    run: () => void navigate({ to: "/$collection", params: { collection }, search: { new: true } }),
  }));
  const setting = say("palette.setting");
  const settings: Entry[] = [
    ...(["light", "dark", "auto"] as const).map((scheme) => ({ id: scheme, kind: setting, text: `${say("account.theme")}: ${say(`account.${scheme}`)}`, run: () => setColorScheme(scheme) })),
    ...languages.map((code) => ({ id: `language-${code}`, kind: setting, text: `${say("account.language")}: ${code}`, run: () => choose(code) })),
    { id: "keys", kind: setting, text: say("keys.title"), run: onHelp },
    { id: "sign-out", kind: setting, text: say("account.signOut"), run: () => void signOut() },
  ];
  const actions = offered().map(({ name, label, run }) => ({ id: `do-${name}`, kind: say("palette.action"), text: label, run }));
  const pages = (["overview", "calendar", "duties", "processes"] as const).map((page) => ({ id: page, kind: say("palette.go"), text: say(`nav.${page}`), run: go(place[page]) }));
  const account = { id: "account", kind: say("palette.go"), text: say("account.title"), run: go(place.account) };
  const all = [...actions, ...pages, ...useViews(), ...lists, ...news, account, ...settings];
  const parts = words.toLowerCase().split(/\s+/).filter((part) => part !== "");
  const fitting = all.filter(({ text, kind }) => parts.every((part) => `${text} ${kind}`.toLowerCase().includes(part)));
  return [...found, ...fitting, ...useWorded(words)];
}

/** Lists that were saved. */
function useViews(): Entry[] {
  const { say } = useLanguage();
  const navigate = useNavigate();
  const known = useQuery(processes).data ?? [];
  const views = useQuery(savedViews()).data?.items ?? [];
  return views.flatMap((view) => {
    const process = known.find((one) => one.process === view.data.of);
    if (!process) return [];
    const run = () => void navigate({ to: "/$collection", params: { collection: process.collection }, search: searchOf(view) });
    return [{ id: view.number, kind: say("palette.view"), text: `${String(view.data.name)} (${process.title})`, run }];
  });
}

/** Records of the pinned lists in which these words stand. */
function useWorded(words: string): Entry[] {
  const { say } = useLanguage();
  const navigate = useNavigate();
  const [pinned] = usePinned();
  const [typed] = useDebouncedValue(words.trim(), 250);
  const isAsked = typed.length >= SHORTEST && !NUMBER.test(typed);
  const lists = useQueries({ queries: pinned.map((collection) => ({ ...some(collection, { q: typed }, FOUND), enabled: isAsked })) });
  if (!isAsked) return [];
  return lists.flatMap(({ data }, index) =>
    (data?.items ?? []).map((record) => ({
      id: record.number,
      kind: say("palette.record"),
      text: `${record.number} · ${headline(record)}`,
      run: () => void navigate({ to: place.record(pinned[index] ?? "", record.number) }),
    })),
  );
}

/** `inc42` is INC0000042, if there is one. */
function useNumbered(words: string): Entry[] {
  const { say } = useLanguage();
  const navigate = useNavigate();
  const [typed] = useDebouncedValue(words.trim(), 120);
  const [, prefix = "", digits = ""] = NUMBER.exec(typed) ?? [];
  const process = (useQuery(processes).data ?? []).find((one) => one.prefix === prefix.toUpperCase());
  const number = `${prefix.toUpperCase()}${digits.padStart(7, "0")}`;
  const found = useQuery({ ...record(process?.collection ?? "", number), enabled: process !== undefined });
  if (!process || !found.data) return [];
  const to = place.record(process.collection, number);
  return [{ id: number, kind: say("palette.record"), text: `${number} · ${headline(found.data)}`, run: () => void navigate({ to }) }];
}
