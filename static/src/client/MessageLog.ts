import { isForward, type Message, type StatusUpdate } from "./Message";

/**
 * How many statuses wait for messages that have not come. A portal that relays no outbound messages leaves all
 * of its statuses waiting, so the oldest give way; this is as many as the gateway's own memory for duplicates.
 */
const MAX_WAITING = 4096;

/** The messages that are known, each once and in order, with the furthest status that was reported for each. */
export class MessageLog {
  readonly #messages: Message[] = [];
  /** When each was sent, in milliseconds since the epoch: thousands of a history are put among them. */
  readonly #times: number[] = [];
  readonly #ids = new Set<string>();
  readonly #waiting = new Map<string, StatusUpdate>();

  /** Oldest first. The array changes as messages come; the messages in it do not. */
  get messages(): readonly Message[] {
    return this.#messages;
  }

  /**
   * Takes in an event. It goes to the end, whatever its time says: events come in the order the gateway
   * accepted them, and a message that was long on its way must not slip in unseen above the agent's eyes.
   */
  append(message: Message): Message | undefined {
    return this.#add(message, this.#messages.length);
  }

  /** Takes in a message of the history, at the place that its time gives it. */
  insert(message: Message): Message | undefined {
    const time = Date.parse(message.timestamp);
    const before = this.#times.findLastIndex((known) => known <= time);
    return this.#add(message, before + 1);
  }

  /** Moves a message's status forward and answers the message, or keeps the status until the message comes. */
  apply(update: StatusUpdate): Message | undefined {
    if (!this.#ids.has(update.messageId)) {
      this.#wait(update);
      return undefined;
    }
    const index = this.#messages.findLastIndex((known) => known.messageId === update.messageId);
    const known = this.#messages[index];
    if (known === undefined || !isForward(known.status, update.status)) return undefined;
    return (this.#messages[index] = withStatus(known, update));
  }

  #add(message: Message, index: number): Message | undefined {
    if (this.#ids.has(message.messageId)) return undefined;
    const waiting = this.#waiting.get(message.messageId);
    this.#waiting.delete(message.messageId);
    const added = waiting && isForward(message.status, waiting.status) ? withStatus(message, waiting) : message;
    this.#ids.add(added.messageId);
    this.#messages.splice(index, 0, added);
    this.#times.splice(index, 0, Date.parse(added.timestamp));
    return added;
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

function withStatus(message: Message, { status, error }: StatusUpdate): Message {
  const { error: _outdated, ...rest } = message;
  return { ...rest, status, ...(error && { error }) };
}
