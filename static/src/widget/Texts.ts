import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { DateText } from "./DateText";
import type { Strings } from "./strings";

/** What every part of the page needs in order to speak. */
export interface Texts {
  readonly strings: Strings;
  readonly dates: DateText;
}

const TextsContext = createContext<Texts | undefined>(undefined);

export const TextsProvider = TextsContext.Provider;

/** The page's language. */
export function useTexts(): Texts {
  const texts = useContext(TextsContext);
  if (!texts) throw new Error("no TextsProvider above");
  return texts;
}
