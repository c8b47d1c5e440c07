/** How far an outbound message has come; `failed` carries a `DeliveryError`. */
export type DeliveryStatus = "sent" | "delivered" | "read" | "failed";

/** Why WhatsApp did not deliver a message. */
export interface DeliveryError {
  readonly code?: string | number;
  readonly title?: string;
}

/** One message of the conversation, as a front end shows it. Messages are never changed in place. */
export interface Message {
  readonly messageId: string;
  /** `in` from the customer, `out` from the agent's side. */
  readonly direction: "in" | "out";
  readonly text?: string;
  readonly mediaUrl?: string;
  readonly mediaType?: string;
  /** The sender's WhatsApp id. */
  readonly from?: string;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly status?: DeliveryStatus;
  readonly error?: DeliveryError;
}

/** A step in the delivery of the message with this id. */
export interface StatusUpdate {
  readonly messageId: string;
  readonly status: DeliveryStatus;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly error?: DeliveryError;
}

/**
 * A message's way, in order. `failed` stands between `sent` and `delivered`: it can follow only nothing or
 * `sent`, and a delivery that is reported after all wins over it.
 */
const WAY: readonly DeliveryStatus[] = ["sent", "failed", "delivered", "read"];

/** Whether `next` is a step forward from `current`: a status never goes back and never repeats. */
export function isForward(current: DeliveryStatus | undefined, next: DeliveryStatus): boolean {
  return WAY.indexOf(next) > (current === undefined ? -1 : WAY.indexOf(current));
}

/** Whether a value from outside names a status. */
export function isDeliveryStatus(value: unknown): value is DeliveryStatus {
  return (WAY as readonly unknown[]).includes(value);
}
