import { en } from "./en";
import type { Strings } from "./Strings";

/** By language alone: an agent in Lisbon understands Brazil's better than English. */
const OTHERS: ReadonlyMap<string, () => Promise<Strings>> = new Map([
  ["de", async () => (await import("./de")).de],
  ["pt", async () => (await import("./ptBR")).ptBR],
]);

/**
 * The strings for a language tag such as `en-GB`; English when there are none for it. Only those of another language
 * have to be loaded, and one that cannot be is no reason to show nothing.
 */
export function loadStrings(tag: string | null | undefined): Strings | Promise<Strings> {
  const load = OTHERS.get(tag?.split("-")[0]?.toLowerCase() ?? "");
  return load ? load().catch(() => en) : en;
}
