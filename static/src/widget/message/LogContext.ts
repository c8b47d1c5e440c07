import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Message } from "../../client";

/** What a message can ask of the log that it stands in. */
export interface LogActions {
  /** The agent reads on here: the log does not go along with what becomes longer or comes next. */
  stay(): void;
  /** Leads to another message. */
  show(messageId: string): void;
  /** Shows what else is known of a message. */
  tell(message: Message): void;
}

const LogContext = createContext<LogActions | undefined>(undefined);

export const LogProvider = LogContext.Provider;

/** The log around a message. */
export function useLog(): LogActions {
  const log = useContext(LogContext);
  if (!log) throw new Error("no LogProvider above");
  return log;
}
