/** The reader's days, weeks and months, as moments between which records are counted. */

export type Step = "day" | "week" | "month";

/** So many of each make a chart. */
const COUNTS: Record<Step, number> = { day: 30, week: 26, month: 12 };

/** The beginnings of the last days, weeks (from Monday) or months, the present one included, and its end. */
export function edges(step: Step, now: Date): Date[] {
  const [year, month, day] = [now.getFullYear(), now.getMonth(), now.getDate()];
  const weekday = (now.getDay() + 6) % 7;
  const begin = (by: number): Date => {
    if (step === "month") return new Date(year, month + by, 1);
    return step === "week" ? new Date(year, month, day - weekday + 7 * by) : new Date(year, month, day + by);
  };
  const count = COUNTS[step];
  return Array.from({ length: count + 1 }, (_, index) => begin(index - count + 1));
}

/** What a span is called under its bar. */
export function called(step: Step, begin: Date, language: string): string {
  const parts: Intl.DateTimeFormatOptions = step === "month" ? { month: "short", year: "2-digit" } : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(language, parts).format(begin);
}
