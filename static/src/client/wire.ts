/**
 * What the gateway sends, and the one door through which payloads come in. The gateway checks inbound messages
 * and statuses; an `outbound_message` is whatever the portal gave to the relay, so nothing in it is taken on trust.
 */
import { isDeliveryStatus, type DeliveryError, type Message, type StatusUpdate } from "./Message";

/** The second argument of every event. */
export interface Meta {
  /** The event's position: given back to resume after it. */
  readonly cursor: string;
  /** When the gateway accepted the event, RFC 3339. */
  readonly at: string;
  readonly replayed?: boolean;
}

/** Who the gateway says the token belongs to. */
export interface Agent {
  readonly id: string;
  readonly name?: string;
}

/** The first event on every connection. */
export interface Joined {
  readonly tenantId: string;
  readonly conversationId: string;
  readonly cursor: string;
  readonly resume: "fresh" | "resumed" | "reset";
  /** How many replayed events follow. */
  readonly replaying: number;
  readonly agent: Agent;
  readonly expiresAt: string;
}

/** The gateway can no longer give every event since the cursor. */
export interface Reset {
  readonly cursor: string;
  readonly reason: string;
}

/** From here on a number counts milliseconds, below it seconds (10^11 s is the year 5138). */
const FIRST_MILLISECONDS = 1e11;

/** Reads a message. One without an id gets its position as id, so that it is shown, and shown once. */
export function readMessage(direction: Message["direction"], data: unknown, meta: Meta): Message {
  const fields = asRecord(data);
  const text = asString(fields.text);
  const mediaUrl = asString(fields.mediaUrl);
  const mediaType = asString(fields.mediaType);
  const from = asString(fields.from);
  return {
    messageId: asId(fields.messageId) ?? `at ${meta.cursor}`,
    direction,
    ...(text !== undefined && { text }),
    ...(mediaUrl !== undefined && { mediaUrl }),
    ...(mediaType !== undefined && { mediaType }),
    ...(from !== undefined && { from }),
    timestamp: readTime(fields.timestamp) ?? meta.at,
  };
}

/** Reads a status, or nothing when it names no message or no status that is known. */
export function readStatus(data: unknown, meta: Meta): StatusUpdate | undefined {
  const fields = asRecord(data);
  const messageId = asId(fields.messageId);
  const status = fields.status;
  if (messageId === undefined || !isDeliveryStatus(status)) return undefined;
  const timestamp = readTime(fields.timestamp) ?? meta.at;
  const error = readError(fields.error);
  return { messageId, status, timestamp, ...(status === "failed" && error && { error }) };
}

function readError(value: unknown): DeliveryError | undefined {
  const { code, title } = asRecord(value);
  const known: DeliveryError = {
    ...((typeof code === "string" || typeof code === "number") && { code }),
    ...(typeof title === "string" && { title }),
  };
  return Object.keys(known).length > 0 ? known : undefined;
}

function readTime(value: unknown): string | undefined {
  if (typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value))) {
    const count = Number(value);
    const date = new Date(count >= FIRST_MILLISECONDS ? count : count * 1000);
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
  }
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined;
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function asString(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function asId(value: unknown): string | undefined {
  return typeof value === "number" ? String(value) : asString(value);
}
