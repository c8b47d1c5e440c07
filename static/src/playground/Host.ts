import { Emitter } from "../client/Emitter";
import type { GetHistory, TokenContext } from "../embed/EmbedOptions";
import { api, NAMES, type Agent } from "./api";
import type { Diary } from "./Diary";

/** Seconds that a token is good for, unless a button says otherwise. */
const USUAL_LIFE = 3600;
/** The gateway asks for a newer token 60 s ahead, and a few more are its leeway: this one's time comes at once. */
export const SHORT_LIFE = 60;
/** Long enough to join with. */
const LAST_LIFE = 5;

/** What the host does when it is asked for a token. */
type Plan = "usual" | "short-once" | "last" | "refuse";

/** How an agent is signed in to the host page. */
export interface Session {
  readonly plan: Plan;
  /** When the token in use runs out, in milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  /** Counts how often the widget has been put onto the page anew. */
  readonly mounted: number;
}

const FRESH: Session = { plan: "usual", expiresAt: undefined, mounted: 0 };

/** The host page's side of the widgets: who is signed in, and which token each of them gets. */
export class Host {
  readonly #diary: Diary;
  readonly #emitter = new Emitter<{ change: [] }>();
  #sessions: Readonly<Record<Agent, Session>> = { ada: FRESH, grace: FRESH };

  constructor(diary: Diary) {
    this.#diary = diary;
    window.AgentGateway = { getToken: (context) => this.#getToken(context) };
  }

  get sessions(): Readonly<Record<Agent, Session>> {
    return this.#sessions;
  }

  /** Has widgets that are put onto the page from now on ask this for older messages; undefined: they have none. */
  set history(history: GetHistory | undefined) {
    window.AgentGateway = { ...window.AgentGateway };
    if (history) window.AgentGateway.history = history;
    else delete window.AgentGateway.history;
  }

  /** Puts the widget onto the page anew; its first token is a short one, those after it are not. */
  shorten(agent: Agent): void {
    this.#remount(agent, "short-once");
  }

  /** Puts the widget onto the page anew with a token that is good for seconds, and gives it no other. */
  end(agent: Agent): void {
    this.#remount(agent, "last");
  }

  /** Puts the widget onto the page anew with tokens as usual. */
  signIn(agent: Agent): void {
    this.#remount(agent, "usual");
  }

  /** Listens to changes and answers a function that stops listening. */
  on(name: "change", listener: () => void): () => void {
    return this.#emitter.on(name, listener);
  }

  async #getToken({ dataset, reason }: TokenContext): Promise<string> {
    const agent = dataset.agent === "grace" ? "grace" : "ada";
    const { plan } = this.#sessions[agent];
    const asked = `getToken for ${NAMES[agent]} (${reason})`;
    if (plan === "refuse") {
      this.#diary.write("host", `${asked}: refused, the session has ended`);
      throw new Error("signed out");
    }
    const seconds = { usual: USUAL_LIFE, "short-once": SHORT_LIFE, last: LAST_LIFE }[plan];
    // At once: the widget may ask again before this one has come.
    this.#change(agent, { plan: plan === "last" ? "refuse" : "usual" });
    try {
      const { token, expiresAt } = await api.token(agent, seconds);
      this.#change(agent, { expiresAt: Date.parse(expiresAt) });
      this.#diary.write("host", `${asked}: a token for ${lifetime(seconds)}`);
      return token;
    } catch (error) {
      this.#diary.write("error", `${asked}: ${(error as Error).message}`);
      throw error;
    }
  }

  #remount(agent: Agent, plan: Plan): void {
    this.#change(agent, { plan, expiresAt: undefined, mounted: this.#sessions[agent].mounted + 1 });
  }

  #change(agent: Agent, change: Partial<Session>): void {
    this.#sessions = { ...this.#sessions, [agent]: { ...this.#sessions[agent], ...change } };
    this.#emitter.emit("change");
  }
}

/** A number of seconds as people say it. */
export function lifetime(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
