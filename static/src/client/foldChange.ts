/** What reactions, edits and deletes make of the message they are about. */
import type { Message, Reaction } from "./Message";

/** A message that is about another one. */
export type Change = Message & { readonly target: string };

const CHANGES: readonly string[] = ["reaction", "edit", "delete"];

export function isChange(message: Message): message is Change {
  return message.target !== undefined && CHANGES.includes(message.type);
}

/** The message as it is after a change. Older changes than those it has seen leave it as it is, and so does all after a delete. */
export function fold(message: Message, change: Message): Message {
  if (message.deletedAt !== undefined) return message;
  if (change.type === "delete") return deleted(message, change.timestamp);
  if (change.type === "edit") return edited(message, change.text, change.timestamp);
  const { emoji, direction, from, fromName, timestamp } = change;
  return reacted(message, { direction, timestamp, ...(from && { from }), ...(fromName && { fromName }) }, emoji);
}

/** A known message as it is after a store has said how it has it; the same object where that is nothing new. */
export function foldKnown(message: Message, stored: Message): Message {
  if (message.deletedAt !== undefined) return message;
  if (stored.deletedAt !== undefined) return deleted(message, stored.deletedAt);
  const { editedAt, reactions = [] } = stored;
  const withText = editedAt === undefined ? message : edited(message, stored.text, editedAt);
  const folded = reactions.reduce((now, { emoji, ...reaction }) => reacted(now, reaction, emoji), withText);
  // A medium may have got its address since.
  const { mediaUrl } = stored;
  return folded.mediaUrl === undefined && mediaUrl !== undefined ? { ...folded, mediaUrl } : folded;
}

/** Whether somebody who looks at a message sees a difference. */
export function changes(before: Message | undefined, now: Message): boolean {
  return (
    before?.text !== now.text ||
    before?.editedAt !== now.editedAt ||
    before?.deletedAt !== now.deletedAt ||
    before?.mediaUrl !== now.mediaUrl ||
    JSON.stringify(before?.reactions) !== JSON.stringify(now.reactions)
  );
}

/** Whether a change leaves an earlier one to the same message without effect. */
export function supersedes(change: Message, earlier: Message): boolean {
  if (change.type === "delete") return true;
  if (change.type !== earlier.type) return false;
  return change.type === "edit" || isSameSender(change, earlier);
}

function deleted(message: Message, deletedAt: string): Message {
  const { messageId, direction, type, from, fromName, timestamp, status, error, statusTimes } = message;
  return {
    messageId,
    direction,
    type,
    ...(from !== undefined && { from }),
    ...(fromName !== undefined && { fromName }),
    timestamp,
    ...(status && { status }),
    ...(error && { error }),
    ...(statusTimes && { statusTimes }),
    deletedAt,
  };
}

function edited(message: Message, text: string | undefined, editedAt: string): Message {
  if (isLater(message.editedAt, editedAt)) return message;
  if (message.editedAt === editedAt && message.text === text) return message;
  return { ...message, ...(text !== undefined && { text }), editedAt };
}

/** `emoji` is undefined where the reaction is taken back. */
function reacted(message: Message, reaction: Omit<Reaction, "emoji">, emoji: string | undefined): Message {
  const { reactions: before = [], ...rest } = message;
  const own = before.find((known) => isSameSender(known, reaction));
  if (own ? own.emoji === emoji || isLater(own.timestamp, reaction.timestamp) : emoji === undefined) return message;
  const others = before.filter((known) => known !== own);
  const reactions = emoji === undefined ? others : [...others, { ...reaction, emoji }];
  return reactions.length > 0 ? { ...rest, reactions } : rest;
}

function isSameSender(a: Pick<Message, "direction" | "from">, b: Pick<Message, "direction" | "from">): boolean {
  // The agent's side has one number, whatever it is called.
  return a.direction === b.direction && (a.direction === "out" || a.from === b.from);
}

function isLater(a: string | undefined, b: string): boolean {
  return a !== undefined && Date.parse(a) > Date.parse(b);
}
