/** Comma-separated values (RFC 4180) that no spreadsheet takes for a formula. */

import type { Json } from "../api/model";

/** A cell that begins so would be worked out by a spreadsheet. */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: Json | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv(header: string[], rows: (Json | undefined)[][]): string {
  return [header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}
