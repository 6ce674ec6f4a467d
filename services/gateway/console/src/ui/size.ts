/** How much a file is, as people say it. */

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** `812 byte`, `1.4 MB`: in thousands, as drives and letters count them. */
export function bytes(count: number, language: string): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), UNITS.length - 1);
  const format = { style: "unit", unit: UNITS[power] ?? "byte", unitDisplay: "short", maximumFractionDigits: count < 10 ** (3 * power + 1) && power > 0 ? 1 : 0 } as const;
  return new Intl.NumberFormat(language, format).format(count / 1000 ** power);
}
