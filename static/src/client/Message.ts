/** How far an outbound message has come; `failed` carries a `DeliveryError`. */
export type DeliveryStatus = "sent" | "delivered" | "read" | "failed";

/** Why WhatsApp did not deliver a message. */
export interface DeliveryError {
  readonly code?: string | number;
  readonly title?: string;
}

/** The types of messages that are known. The gateway lets others through. */
export type KnownMessageType =
  | "text"
  | "image"
  | "video"
  | "audio"
  | "voice"
  | "document"
  | "sticker"
  | "location"
  | "contacts"
  | "reaction"
  | "edit"
  | "delete"
  | "button"
  | "interactive"
  | "order"
  | "system"
  | "unsupported";

/** A message's type: one that is known, or another of the form `[a-z][a-z0-9_]{0,31}`. */
export type MessageType = KnownMessageType | (string & {});

/** What a message answers. */
export interface ReplyTo {
  readonly messageId: string;
  /** The text that was quoted, where the publisher knows it. */
  readonly text?: string;
  /** Who wrote what is quoted: a WhatsApp id. */
  readonly from?: string;
}

/** A place. */
export interface Location {
  /** -90 to 90. */
  readonly latitude: number;
  /** -180 to 180. */
  readonly longitude: number;
  readonly name?: string;
  readonly address?: string;
  readonly url?: string;
}

/** A contact card. */
export interface Contact {
  readonly name: string;
  readonly phones?: readonly string[];
  readonly emails?: readonly string[];
}

/** One side's reaction to a message. Each sender has one at most. */
export interface Reaction {
  readonly emoji: string;
  readonly direction: "in" | "out";
  readonly from?: string;
  readonly fromName?: string;
  /** RFC 3339. */
  readonly timestamp: string;
}

/** One message of the conversation, as a front end shows it. Messages are never changed in place. */
export interface Message {
  readonly messageId: string;
  /** `in` from the customer, `out` from the agent's side. */
  readonly direction: "in" | "out";
  /** What it is; told from the rest where the publisher does not say. */
  readonly type: MessageType;
  /** The text, or a medium's caption. After an edit it is the new text. */
  readonly text?: string;
  /** An absolute http or https URL. */
  readonly mediaUrl?: string;
  /** The provider's id of the medium, which may have no URL yet. */
  readonly mediaId?: string;
  readonly mediaType?: string;
  readonly fileName?: string;
  /** In bytes. */
  readonly fileSize?: number;
  /** The sender's WhatsApp id. */
  readonly from?: string;
  readonly fromName?: string;
  readonly replyTo?: ReplyTo;
  readonly forwarded?: boolean;
  readonly location?: Location;
  readonly contacts?: readonly Contact[];
  /** Of a `reaction`, an `edit` or a `delete`: the messageId of what it is about. */
  readonly target?: string;
  /** Of a `reaction`; absent where it is taken back. */
  readonly emoji?: string;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly status?: DeliveryStatus;
  readonly error?: DeliveryError;
  /** When each status was reached, RFC 3339, as far as it has been reported. */
  readonly statusTimes?: Readonly<Partial<Record<DeliveryStatus, string>>>;
  /** Reactions to this message, the oldest first; absent where there are none. */
  readonly reactions?: readonly Reaction[];
  /** When the text was last edited, RFC 3339. */
  readonly editedAt?: string;
  /** When it was deleted, RFC 3339. Its content is then gone: no text, no medium, no reactions. */
  readonly deletedAt?: string;
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
