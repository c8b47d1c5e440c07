import type { Message } from "../../client";
import type { Texts } from "../Texts";

/** A WhatsApp id is a phone number, of which people write the plus sign. */
const PHONE_NUMBER = /^[1-9]\d{6,14}$/;

type Sender = Pick<Message, "direction" | "from" | "fromName">;

/** What to call who has written something; `several` customers' sides are distinguished by their numbers, where they have no names. */
export function senderName(
  { direction, from, fromName }: Sender,
  { strings, customer }: Texts,
  several = false,
): string {
  if (fromName !== undefined) return fromName;
  if (direction === "out") return strings.senders.out;
  return (several ? undefined : customer) ?? (from === undefined ? strings.senders.in : numberName(from));
}

/** A WhatsApp id as people write it. */
export function numberName(from: string): string {
  return PHONE_NUMBER.test(from) ? `+${from}` : from;
}
