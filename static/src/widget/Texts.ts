import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Formats } from "./Formats";
import type { Strings } from "./strings/Strings";

/** What every part of the page needs in order to speak. */
export interface Texts {
  readonly strings: Strings;
  readonly formats: Formats;
  /** What the customer is called, as far as that is known of the conversation as a whole. */
  readonly customer: string | undefined;
}

const TextsContext = createContext<Texts | undefined>(undefined);

export const TextsProvider = TextsContext.Provider;

/** The page's language. */
export function useTexts(): Texts {
  const texts = useContext(TextsContext);
  if (!texts) throw new Error("no TextsProvider above");
  return texts;
}
