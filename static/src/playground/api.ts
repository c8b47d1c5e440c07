/** Who reads the conversation in a widget. */
export const AGENTS = ["ada", "grace"] as const;
export type Agent = (typeof AGENTS)[number];

export const NAMES: Readonly<Record<Agent, string>> = { ada: "Ada", grace: "Grace" };

/** What the page knows of the gateway that serves it. */
export interface Scene {
  readonly tenantId: string;
  readonly conversationId: string;
  /** Where events are published. */
  readonly exchange: string;
  /** How many events are kept for replay. */
  readonly window: number;
  /** Whether several gateways share the conversation, each of which can be killed. */
  readonly replicas: boolean;
}

/** One of several gateways. */
export interface Replica {
  readonly number: number;
  /** `away`: it does not run; `starting`: it does not serve yet. */
  readonly state: "ready" | "starting" | "away";
  /** Who of the conversation is there, by their ids. */
  readonly agents: readonly string[];
  /** Until it is started again. */
  readonly seconds?: number;
}

export interface Token {
  readonly token: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

export interface Published {
  readonly messageId: string;
  /** From the request to the broker's confirm, or to the relay's answer. */
  readonly milliseconds: number;
}

export type EventName = "inbound_message" | "status_update" | "outbound_message";

/** The playground's routes; each call throws an `Error` that says what went wrong. */
export const api = {
  scene: () => call<Scene>("scene"),
  token: (agent: Agent | "playground", seconds: number) => call<Token>("token", { agent, seconds }),
  publish: (event: EventName, payload: object) => call<Published>("publish", { event, payload }),
  /** Publishes a body as it is; `milliseconds` until the broker's confirm. */
  webhook: (body: object) => call<Pick<Published, "milliseconds">>("webhook", body),
  cut: (agents: readonly Agent[], seconds: number) => call<{ connections: number }>("cut", { agents, seconds }),
  outrun: (agents: readonly Agent[]) =>
    call<{ connections: number; published: number; window: number }>("outrun", { agents }),
  replicas: () => call<{ replicas: readonly Replica[] }>("replicas"),
  /** Answers who was there. */
  kill: (replica: number) => call<{ agents: readonly string[] }>("replicas/kill", { replica }),
};

async function call<Result>(route: string, body?: object): Promise<Result> {
  const request = body && {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(`/playground/${route}`, request).catch(() => {
    throw new Error("The gateway does not answer. Does it still run?");
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as Result;
  const { error } = (answer ?? {}) as { error?: { message?: string } };
  throw new Error(error?.message ?? `The gateway answered ${response.status}.`);
}
