/** Moments and spans as people say them. */

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** `5 minutes ago`, `in 2 hours`; none within the minute. */
export function relative(at: Date, now: Date, language: string): string | null {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  if (!unit) return null;
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  return format.format(Math.round(seconds / unit[1]), unit[0]);
}

/** The moment in the reader's zone, to the minute. */
export function absolute(at: Date, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(at);
}

/** The moment with its zone: the reader's, another that matters, and, for who compares with others, UTC. */
export function exact(at: Date, language: string, zone: string | null = null): string {
  const here = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" }).format(at);
  const there = zone === null ? [] : [`${new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", timeZone: zone }).format(at)} ${zone}`];
  return [here, ...there, `${at.toISOString().replace("T", " ").slice(0, 19)} UTC`].join(" · ");
}

/** `2 d 4 h`, `3 h 20 min`, `45 s`: two units at most. */
export function span(seconds: number): string {
  const sizes: [string, number][] = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = sizes.findIndex(([, size]) => seconds >= size);
  if (first < 0) return "0 s";
  let rest = seconds;
  const parts = sizes.slice(first, first + 2).map(([name, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count} ${name}` : "";
  });
  return parts.filter((part) => part !== "").join(" ");
}

/** For `<input type="datetime-local">`, in the reader's zone. */
export function toLocalInput(instant: string): string {
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
