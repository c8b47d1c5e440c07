/** Values from outside, read one by one; undefined is what is not there or can't be used. */

/** From here on a number counts milliseconds, below it seconds (10^11 s is the year 5138). */
const FIRST_MILLISECONDS = 1e11;

export function readTime(value: unknown): string | undefined {
  if (typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value))) {
    const count = Number(value);
    const date = new Date(count >= FIRST_MILLISECONDS ? count : count * 1000);
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  }
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined;
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asString(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function asId(value: unknown): string | undefined {
  return typeof value === "number" ? String(value) : asString(value);
}

export function asFinite(value: unknown, least: number, most = Infinity): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= least && value <= most ? value : undefined;
}
