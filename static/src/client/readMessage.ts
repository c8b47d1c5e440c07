/**
 * The one place where messages and statuses are read. The gateway checks inbound messages and statuses; an
 * `outbound_message` is whatever the portal gave to the relay, and the history is another service's, so nothing in them is
 * taken on trust: what can't be used is left out.
 */
import { asArray, asFinite, asId, asRecord, asString, readTime } from "./fields";
import {
  isDeliveryStatus,
  type Contact,
  type DeliveryError,
  type DeliveryStatus,
  type Location,
  type Message,
  type Reaction,
  type ReplyTo,
  type StatusUpdate,
} from "./Message";
import { tellType } from "./tellType";
import type { Meta } from "./wire";

/** Reads a message. One without an id gets its position as id, so that it is shown, and shown once. */
export function readMessage(direction: Message["direction"], data: unknown, meta: Meta): Message {
  const fields = asRecord(data);
  const messageId = asId(fields.messageId) ?? `at ${meta.cursor}`;
  return { messageId, direction, ...readContent(fields), timestamp: readTime(fields.timestamp) ?? meta.at };
}

/** Reads a message of a store; undefined where it has no id or no time. */
export function readStored(data: unknown): Message | undefined {
  const fields = asRecord(data);
  const messageId = asId(fields.messageId);
  const timestamp = readTime(fields.timestamp);
  if (messageId === undefined || timestamp === undefined) return undefined;
  const direction = fields.direction === "out" || fields.direction === "outbound" ? "out" : "in";
  const status = isDeliveryStatus(fields.status) ? fields.status : undefined;
  const statusTimes = readStatusTimes(fields.statusTimes);
  const reactions = readAll(fields.reactions, readReaction);
  return {
    messageId,
    direction,
    ...readContent(fields),
    timestamp,
    ...(status && { status }),
    ...(status === "failed" && present("error", readError(fields.error))),
    ...present("statusTimes", statusTimes),
    ...present("reactions", reactions),
    ...present("editedAt", readTime(fields.editedAt)),
    ...present("deletedAt", readTime(fields.deletedAt)),
  };
}

/** Reads a status, or nothing when it names no message or no status that is known. */
export function readStatus(data: unknown, meta: Meta): StatusUpdate | undefined {
  const fields = asRecord(data);
  const messageId = asId(fields.messageId);
  const { status } = fields;
  if (messageId === undefined || !isDeliveryStatus(status)) return undefined;
  const timestamp = readTime(fields.timestamp) ?? meta.at;
  const error = readError(fields.error);
  return { messageId, status, timestamp, ...(status === "failed" && error && { error }) };
}

type Content = Omit<Message, "messageId" | "direction" | "timestamp">;

function readContent(fields: Record<string, unknown>): Content {
  const content: Omit<Content, "type"> = {
    ...present("text", asString(fields.text)),
    ...present("mediaUrl", asString(fields.mediaUrl)),
    ...present("mediaId", asId(fields.mediaId)),
    ...present("mediaType", asString(fields.mediaType)),
    ...present("fileName", asString(fields.fileName)),
    ...present("fileSize", asFinite(fields.fileSize, 0)),
    ...present("from", asString(fields.from)),
    ...present("fromName", asString(fields.fromName)),
    ...present("replyTo", readReplyTo(fields.replyTo)),
    ...(fields.forwarded === true && { forwarded: true }),
    ...present("location", readLocation(fields.location)),
    ...present("contacts", readAll(fields.contacts, readContact)),
    ...present("target", asId(fields.target)),
    ...present("emoji", asString(fields.emoji)),
  };
  const type = asString(fields.type);
  return { type: type !== undefined && /^[a-z][a-z0-9_]{0,31}$/.test(type) ? type : tellType(content), ...content };
}

function readReplyTo(value: unknown): ReplyTo | undefined {
  const { messageId, text, from } = asRecord(value);
  const id = asId(messageId);
  return id === undefined
    ? undefined
    : { messageId: id, ...present("text", asString(text)), ...present("from", asString(from)) };
}

function readLocation(value: unknown): Location | undefined {
  const fields = asRecord(value);
  const latitude = asFinite(fields.latitude, -90, 90);
  const longitude = asFinite(fields.longitude, -180, 180);
  if (latitude === undefined || longitude === undefined) return undefined;
  return {
    latitude,
    longitude,
    ...present("name", asString(fields.name)),
    ...present("address", asString(fields.address)),
    ...present("url", asString(fields.url)),
  };
}

function readContact(value: unknown): Contact | undefined {
  const fields = asRecord(value);
  const name = asString(fields.name);
  if (name === undefined) return undefined;
  return {
    name,
    ...present("phones", readAll(fields.phones, asId)),
    ...present("emails", readAll(fields.emails, asString)),
  };
}

function readReaction(value: unknown): Reaction | undefined {
  const fields = asRecord(value);
  const emoji = asString(fields.emoji);
  const timestamp = readTime(fields.timestamp);
  if (emoji === undefined || timestamp === undefined) return undefined;
  const direction = fields.direction === "out" || fields.direction === "outbound" ? "out" : "in";
  return {
    emoji,
    direction,
    ...present("from", asString(fields.from)),
    ...present("fromName", asString(fields.fromName)),
    timestamp,
  };
}

function readStatusTimes(value: unknown): Message["statusTimes"] {
  const times: Partial<Record<DeliveryStatus, string>> = {};
  for (const [status, time] of Object.entries(asRecord(value))) {
    const read = readTime(time);
    if (isDeliveryStatus(status) && read !== undefined) times[status] = read;
  }
  return Object.keys(times).length > 0 ? times : undefined;
}

function readError(value: unknown): DeliveryError | undefined {
  const { code, title } = asRecord(value);
  const known: DeliveryError = {
    ...((typeof code === "string" || typeof code === "number") && { code }),
    ...(typeof title === "string" && { title }),
  };
  return Object.keys(known).length > 0 ? known : undefined;
}

/** What can be read of a list; undefined where that is nothing. */
function readAll<Item>(value: unknown, read: (item: unknown) => Item | undefined): readonly Item[] | undefined {
  const items = asArray(value).flatMap((item) => read(item) ?? []);
  return items.length > 0 ? items : undefined;
}

function present<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]: Value });
}
