import type { Strings } from "./strings/Strings";

/** Up to this many days back a weekday alone says which day is meant. */
const WEEKDAY_DAYS = 6;

/** A kilobyte has so many bytes, and so on: as file managers count. */
const STEP = 1000;

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** Times, days and sizes as the agent writes them, in the agent's time zone. */
export class Formats {
  readonly #strings: Strings;
  readonly #locale: string;
  readonly #time: Intl.DateTimeFormat;
  readonly #weekday: Intl.DateTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #full: Intl.DateTimeFormat;

  /** `locales` are the agent's own; one that is of the strings' language decides how dates are written. */
  constructor(strings: Strings, locales: readonly string[]) {
    const locale = locales.find((own) => language(own) === language(strings.lang)) ?? strings.lang;
    this.#strings = strings;
    this.#locale = locale;
    this.#time = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });
    this.#weekday = new Intl.DateTimeFormat(locale, { weekday: "long" });
    this.#day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
    this.#full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });
  }

  time(date: Date): string {
    return this.#time.format(date);
  }

  /** Date and time to the second. */
  full(date: Date): string {
    return this.#full.format(date);
  }

  /** A number of bytes, to two figures or so. */
  size(bytes: number): string {
    const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log(bytes) / Math.log(STEP))));
    const amount = bytes / STEP ** power;
    const maximumFractionDigits = amount < 10 && power > 0 ? 1 : 0;
    const how = { style: "unit", unit: UNITS[power]!, unitDisplay: "short", maximumFractionDigits } as const;
    return new Intl.NumberFormat(this.#locale, how).format(amount);
  }

  day(date: Date, now: Date): string {
    const ago = daysBetween(date, now);
    if (ago === 0) return this.#strings.today;
    if (ago === 1) return this.#strings.yesterday;
    if (ago > 1 && ago <= WEEKDAY_DAYS) return this.#weekday.format(date);
    return this.#day.format(date);
  }
}

/** Of `pt-BR` the `pt`. */
function language(tag: string): string | undefined {
  return tag.split("-")[0]?.toLowerCase();
}

/** Midnights between two times, which a day with 23 or 25 hours does not change. */
function daysBetween(from: Date, to: Date): number {
  return Math.round((midnight(to) - midnight(from)) / 86_400_000);
}

function midnight(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
