import { changes, fold, foldKnown, isChange, supersedes } from "./foldChange";
import { mergePage } from "./mergePage";
import { isForward, type Message, type StatusUpdate } from "./Message";

/**
 * How many statuses wait for messages that have not come. A portal that relays no outbound messages leaves all
 * of its statuses waiting, so the oldest give way; this is as many as the gateway's own memory for duplicates.
 */
const MAX_WAITING = 4096;

/** A place below which messages may be missing. */
export interface OpenGap {
  readonly reason: string;
  /** The last message above it; undefined where there is none. */
  after: string | undefined;
}

/** What a page of the history has brought. */
export interface Merged {
  /** The messages that were not known, in their order. */
  readonly added: readonly Message[];
  /** Known messages that a reaction, an edit or a delete has changed, each with its cause. */
  readonly changed: readonly (readonly [message: Message, cause: Message])[];
  /** Known messages that have come further. */
  readonly statuses: readonly StatusUpdate[];
}

/**
 * The messages that are known, each once and in order, with the furthest status that was reported for each and with
 * what reactions, edits and deletes have made of them.
 */
export class MessageLog {
  #messages: Message[] = [];
  /** Ids of all that has been taken in, those of reactions, edits and deletes included. */
  readonly #ids = new Set<string>();
  readonly #waiting = new Map<string, StatusUpdate>();
  /** Reactions, edits and deletes by what they are about, whether that is known or not. */
  readonly #changes = new Map<string, Message[]>();
  /** Messages as they were before what is in `#changes`. */
  readonly #originals = new Map<string, Message>();
  readonly #gaps: OpenGap[] = [];
  /** Where the next replayed message belongs, if not at the end. */
  #point: number | undefined;

  /** Oldest first. The array changes as messages come; the messages in it do not. */
  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** The places below which messages may be missing, the oldest first. */
  get gaps(): readonly OpenGap[] {
    return this.#gaps;
  }

  has(messageId: string): boolean {
    return this.#ids.has(messageId);
  }

  indexOf(messageId: string): number {
    return this.#messages.findLastIndex((known) => known.messageId === messageId);
  }

  /**
   * Takes in an event. It goes to the end, whatever its time says: events come in the order the gateway
   * accepted them, and a message that was long on its way must not slip in unseen above the agent's eyes.
   */
  append(message: Message): Message | undefined {
    return this.#add(message, this.#messages.length);
  }

  /**
   * Takes in an event of a window that may hold what the history has brought already: it goes behind the one that was
   * replayed before it, and the first one to where its time belongs.
   */
  replay(message: Message): Message | undefined {
    if (this.#ids.has(message.messageId)) {
      const index = this.indexOf(message.messageId);
      if (index >= 0) this.#point = index + 1;
      return undefined;
    }
    const time = Date.parse(message.timestamp);
    const index = this.#point ?? this.#messages.findLastIndex(({ timestamp }) => Date.parse(timestamp) <= time) + 1;
    const added = this.#add(message, index);
    if (added) this.#point = this.indexOf(added.messageId) + 1;
    return added;
  }

  /** The window has come. */
  endReplay(): void {
    this.#point = undefined;
  }

  /**
   * Takes in messages of the history, oldest first, each between its neighbours in the page or, where they are not
   * known, where its time belongs. `before`: all of them are older than this one.
   */
  merge(page: readonly Message[], before?: string): Merged {
    const inPage = new Set(page.map(({ messageId }) => messageId));
    let positions = this.#positions();
    // A reaction that was taken back is no row in any case.
    const isFolded = (message: Message): boolean =>
      isChange(message) &&
      (positions.has(message.target) || inPage.has(message.target) || (message.type === "reaction" && !message.emoji));
    const fresh = new Set(page.filter((message) => !this.#ids.has(message.messageId) && !isFolded(message)));
    const rows = page.filter((message) => fresh.has(message) || positions.has(message.messageId));
    const replayed = this.#point === undefined ? undefined : this.#messages[this.#point - 1]?.messageId;
    this.#messages = mergePage(this.#messages, rows, before);
    positions = this.#positions();
    const added = new Set<string>();
    for (const message of fresh) {
      const { length } = this.#messages;
      this.#enter(message, positions.get(message.messageId)!);
      if (this.#messages.length !== length) positions = this.#positions();
      added.add(message.messageId);
    }
    const changed: [Message, Message][] = [];
    const statuses: StatusUpdate[] = [];
    for (const message of page) {
      if (fresh.has(message)) continue;
      if (isFolded(message)) {
        const result = this.change(message);
        if (result && !added.has(result.messageId)) changed.push([result, message]);
      } else this.#recall(message, changed, statuses);
    }
    if (this.#point !== undefined) this.#point = replayed === undefined ? undefined : this.indexOf(replayed) + 1;
    return { added: this.#messages.filter(({ messageId }) => added.has(messageId)), changed, statuses };
  }

  /**
   * Applies a reaction, an edit or a delete, and answers what it has made of the message it is about; undefined when it
   * is none of these, has been applied already, or is about a message that is not known.
   */
  change(change: Message): Message | undefined {
    if (!isChange(change) || this.#ids.has(change.messageId)) return undefined;
    const index = this.indexOf(change.target);
    if (index < 0) return this.#supersede(change);
    this.#ids.add(change.messageId);
    this.#remember(change);
    return this.#refold(index);
  }

  /** Moves a message's status forward and answers the message, or keeps the status until the message comes. */
  apply(update: StatusUpdate): Message | undefined {
    const index = this.indexOf(update.messageId);
    if (index < 0) {
      if (!this.#ids.has(update.messageId)) this.#wait(update);
      return undefined;
    }
    const original = this.#original(index);
    if (!isForward(original.status, update.status)) return undefined;
    return this.#replace(index, withStatus(original, update));
  }

  /** Forgets the oldest beyond `keep`, so that the history can bring them again. */
  forget(keep: number): void {
    const gone = this.#messages.splice(0, Math.max(0, this.#messages.length - keep));
    for (const { messageId } of gone) {
      this.#ids.delete(messageId);
      this.#originals.delete(messageId);
      const gap = this.#gaps.findIndex(({ after }) => after === messageId);
      if (gap >= 0) this.#gaps.splice(0, gap + 1);
    }
    this.#point = undefined;
  }

  /** Messages may be missing behind the last one that is known. */
  openGap(reason: string): OpenGap {
    const gap = { reason, after: this.#messages.at(-1)?.messageId };
    this.#gaps.push(gap);
    return gap;
  }

  /** What was missing has come. */
  closeGaps(): void {
    this.#gaps.length = 0;
  }

  #add(message: Message, index: number): Message | undefined {
    if (this.#ids.has(message.messageId)) return undefined;
    this.#messages.splice(index, 0, message);
    return this.#enter(message, index);
  }

  /** Takes account of a message that has just been put into its place, and answers it as it is then. */
  #enter(message: Message, index: number): Message {
    const { messageId } = message;
    this.#ids.add(messageId);
    if (isChange(message)) {
      this.#supersede(message);
      this.#remember(message);
    }
    for (const { messageId: orphan } of this.#changes.get(messageId) ?? []) this.#remove(orphan);
    const waiting = this.#waiting.get(messageId);
    this.#waiting.delete(messageId);
    const original = waiting && isForward(message.status, waiting.status) ? withStatus(message, waiting) : message;
    const moved = this.#messages[index] !== message;
    return this.#replace(moved ? this.#messages.indexOf(message) : index, original);
  }

  #positions(): Map<string, number> {
    return new Map(this.#messages.map(({ messageId }, index) => [messageId, index]));
  }

  /** A known message has come from the history as well, where it may have come further. */
  #recall(message: Message, changed: [Message, Message][], statuses: StatusUpdate[]): void {
    const index = this.indexOf(message.messageId);
    if (index < 0) return;
    const { messageId, status, timestamp, error, statusTimes } = message;
    if (status) {
      const update = { messageId, status, timestamp: statusTimes?.[status] ?? timestamp, ...(error && { error }) };
      if (this.#applyStored(index, message, update)) statuses.push(update);
    }
    const before = this.#messages[index];
    const folded = foldKnown(this.#original(index), message);
    if (folded !== this.#original(index)) {
      const now = this.#replace(index, folded);
      if (changes(before, now)) changed.push([now, message]);
    }
  }

  /** A store that does not say when a status was reached leaves that open. */
  #applyStored(index: number, { statusTimes }: Message, update: StatusUpdate): boolean {
    const original = this.#original(index);
    if (!isForward(original.status, update.status)) return false;
    const { statusTimes: _own, ...forward } = withStatus(original, update);
    const times = { ...statusTimes, ...original.statusTimes };
    this.#replace(index, Object.keys(times).length > 0 ? { ...forward, statusTimes: times } : forward);
    return true;
  }

  #original(index: number): Message {
    const shown = this.#messages[index]!;
    return this.#originals.get(shown.messageId) ?? shown;
  }

  #replace(index: number, original: Message): Message {
    if (!this.#changes.has(original.messageId)) return (this.#messages[index] = original);
    this.#originals.set(original.messageId, original);
    return this.#refold(index);
  }

  #refold(index: number): Message {
    const original = this.#original(index);
    this.#originals.set(original.messageId, original);
    return (this.#messages[index] = (this.#changes.get(original.messageId) ?? []).reduce(fold, original));
  }

  /** Keeps a change, in the order of time. */
  #remember(change: Message & { readonly target: string }): void {
    const known = this.#changes.get(change.target) ?? [];
    this.#changes.set(change.target, known);
    const time = Date.parse(change.timestamp);
    known.splice(known.findLastIndex(({ timestamp }) => Date.parse(timestamp) <= time) + 1, 0, change);
  }

  /**
   * Of changes to an unknown message only those are shown that still count. Answers one that no longer does where the new
   * one has nothing to show instead.
   */
  #supersede(change: Message & { readonly target: string }): Message | undefined {
    let last: Message | undefined;
    for (const earlier of this.#changes.get(change.target) ?? []) {
      if (supersedes(change, earlier)) last = this.#remove(earlier.messageId) ?? last;
    }
    if (change.type !== "reaction" || change.emoji !== undefined) return undefined;
    this.#ids.add(change.messageId);
    this.#remember(change);
    return last;
  }

  /** Takes a message out of the page's sight; it stays known. */
  #remove(messageId: string): Message | undefined {
    const index = this.indexOf(messageId);
    if (index < 0) return undefined;
    const [removed] = this.#messages.splice(index, 1);
    for (const gap of this.#gaps) if (gap.after === messageId) gap.after = this.#messages[index - 1]?.messageId;
    if (this.#point !== undefined && this.#point > index) this.#point -= 1;
    return removed;
  }

  #wait(update: StatusUpdate): void {
    const { messageId } = update;
    if (!isForward(this.#waiting.get(messageId)?.status, update.status)) return;
    this.#waiting.delete(messageId);
    this.#waiting.set(messageId, update);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > MAX_WAITING && oldest !== undefined) this.#waiting.delete(oldest);
  }
}

function withStatus(message: Message, { status, timestamp, error }: StatusUpdate): Message {
  const { error: _outdated, ...rest } = message;
  const statusTimes = { ...message.statusTimes, [status]: timestamp };
  return { ...rest, status, statusTimes, ...(error && { error }) };
}
