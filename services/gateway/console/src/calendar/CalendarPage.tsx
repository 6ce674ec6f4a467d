/** The calendar of what is planned, by day, week and month; where it stands is in the address. */

import "@fullcalendar/react/skeleton.css";
import "@fullcalendar/react/themes/classic/theme.css";

import FullCalendar, { type EventInput } from "@fullcalendar/react";
import dayGrid from "@fullcalendar/react/daygrid";
import list from "@fullcalendar/react/list";
import classic from "@fullcalendar/react/themes/classic";
import timeGrid from "@fullcalendar/react/timegrid";
import { ActionIcon, Button, SegmentedControl } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useEffect, useMemo } from "react";
import { headline, stateLabel } from "../fields/words";
import { useLanguage } from "../i18n/words";
import { place } from "../paths";
import { ProblemBox } from "../ui/ProblemBox";
import { usePlan, type Planned } from "./queries";
import { dayOf, inAddress, moved, shown, type By } from "./range";
import styles from "./CalendarPage.module.css";

const route = getRouteApi("/calendar");
const VIEWS: Record<By, [wide: string, narrow: string]> = {
  day: ["timeGridDay", "listDay"],
  week: ["timeGridWeek", "listWeek"],
  month: ["dayGridMonth", "listMonth"],
};
const STEPS = ["day", "week", "month"] as const;

export function CalendarPage() {
  const { say, code } = useLanguage();
  const { by = "month", at } = route.useSearch();
  const navigate = route.useNavigate();
  const goTo = useNavigate();
  const isNarrow = useMediaQuery("(max-width: 48rem)") ?? false;
  const day = useMemo(() => dayOf(at), [at]);
  const range = useMemo(() => shown(by, day), [by, day]);
  const { processes, planned, isCut, error } = usePlan(range.from, range.to);
  useEffect(() => {
    document.title = `${say("nav.calendar")} · ${say("app.name")}`;
  }, [say]);
  const go = (to: { by?: By; at?: Date }) => {
    const search = { by: to.by ?? by, at: inAddress(to.at ?? day) };
    void navigate({ search: search.by === "month" ? { at: search.at } : { by: search.by, at: search.at } });
  };
  const events = planned.map(asEvent);
  return (
    <>
      <div className={styles.head}>
        <h1>{say("nav.calendar")}</h1>
        <div className={styles.tools}>
          <Button variant="default" size="xs" onClick={() => go({ at: new Date() })}>
            {say("calendar.today")}
          </Button>
          <ActionIcon variant="default" size="md" aria-label={say("calendar.before")} onClick={() => go({ at: moved(by, day, -1) })}>
            <ChevronLeft size={17} aria-hidden />
          </ActionIcon>
          <ActionIcon variant="default" size="md" aria-label={say("calendar.after")} onClick={() => go({ at: moved(by, day, 1) })}>
            <ChevronRight size={17} aria-hidden />
          </ActionIcon>
          <h2 className={styles.title} aria-live="polite">
            {titleOf(by, day, range.from, code)}
          </h2>
        </div>
        <SegmentedControl
          size="xs"
          aria-label={say("list.view")}
          value={by}
          onChange={(next) => go({ by: next as By })}
          data={STEPS.map((step) => ({ value: step, label: say(`calendar.${step}`) }))}
        />
      </div>
      <ProblemBox error={error} />
      <p className={styles.note}>{say("calendar.of", { names: processes.map(({ title }) => title).join(", ") || say("common.none") })}</p>
      {isCut && <p className={styles.note}>{say("calendar.cut")}</p>}
      <div className={styles.frame}>
        <FullCalendar
          key={`${by} ${inAddress(day)} ${isNarrow} ${code}`}
          plugins={[dayGrid, timeGrid, list, classic]}
          initialView={VIEWS[by][isNarrow ? 1 : 0]}
          initialDate={inAddress(day)}
          headerToolbar={false}
          locale={code}
          firstDay={1}
          height="auto"
          nowIndicator
          dayMaxEvents={4}
          allDaySlot={false}
          allDayText={say("calendar.allDay")}
          rowEventInnerClass={styles.bar ?? ""}
          listItemEventTimeClass={styles.time ?? ""}
          listItemEventTitleClass={styles.whole ?? ""}
          displayEventTime={by !== "month" || isNarrow}
          moreLinkContent={({ num }) => say("calendar.more", { count: num })}
          noEventsContent={say("calendar.none")}
          eventTimeFormat={{ hour: "2-digit", minute: "2-digit", hour12: false }}
          slotHeaderFormat={{ hour: "2-digit", minute: "2-digit", hour12: false }}
          events={events}
          eventClick={({ event, jsEvent }) => {
            // As any link: with a key held down the browser opens it where it is told to.
            if (jsEvent.ctrlKey || jsEvent.metaKey || jsEvent.shiftKey) return;
            jsEvent.preventDefault();
            void goTo({ to: event.url });
          }}
        />
      </div>
    </>
  );
}

function asEvent({ record, process, from, to }: Planned): EventInput {
  const state = stateLabel(record.state, process);
  const isOver = (process?.states[record.state] ?? []).length === 0;
  return {
    id: record.id,
    title: `${headline(record)} · ${record.number} · ${state}`,
    start: from,
    end: to,
    url: process ? place.record(process.collection, record.number) : "",
    color: isOver ? "var(--planned-over)" : "var(--planned)",
    contrastColor: "#fff",
  };
}

function titleOf(by: By, day: Date, from: Date, language: string): string {
  if (by === "day") return new Intl.DateTimeFormat(language, { dateStyle: "full" }).format(day);
  if (by === "month") return new Intl.DateTimeFormat(language, { month: "long", year: "numeric" }).format(day);
  const end = new Date(from);
  end.setDate(end.getDate() + 6);
  return new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" }).formatRange(from, end);
}
