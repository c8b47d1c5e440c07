/** What the gateway sends beside messages and statuses. */

/** The second argument of every event. */
export interface Meta {
  /** The event's position: given back to resume after it. */
  readonly cursor: string;
  /** When the gateway accepted the event, RFC 3339. */
  readonly at: string;
  readonly replayed?: boolean;
  /** The event's cause as a W3C `traceparent`, where the publisher or the gateway traces. */
  readonly trace?: string;
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
