/** Which days a calendar shows; weeks begin on Monday (ISO 8601). */

export type By = "day" | "week" | "month";

/** The day that an address says; today where it says none. */
export function dayOf(at: string | undefined, now = new Date()): Date {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(at ?? "") ?? [];
  if (year === undefined) return new Date(now.getFullYear(), now.getMonth(), now.getDate());
  return new Date(Number(year), Number(month) - 1, Number(day));
}

export function inAddress(day: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** The same day before or after; the first of a month, because not every month has its last days. */
export function moved(by: By, day: Date, steps: number): Date {
  const [year, month, date] = [day.getFullYear(), day.getMonth(), day.getDate()];
  if (by === "month") return new Date(year, month + steps, 1);
  return new Date(year, month, date + steps * (by === "week" ? 7 : 1));
}

/** From when to when: a month with the weeks that it begins and ends in. */
export function shown(by: By, day: Date): { from: Date; to: Date } {
  const [year, month, date] = [day.getFullYear(), day.getMonth(), day.getDate()];
  const monday = (of: Date) => new Date(of.getFullYear(), of.getMonth(), of.getDate() - ((of.getDay() + 6) % 7));
  if (by === "day") return { from: day, to: new Date(year, month, date + 1) };
  const from = monday(by === "week" ? day : new Date(year, month, 1));
  const days = by === "week" ? 7 : 42;
  return { from, to: new Date(from.getFullYear(), from.getMonth(), from.getDate() + days) };
}
