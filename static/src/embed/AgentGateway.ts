import type { ConversationState } from "../client/ConversationState";
import type { MessageOrigin } from "../client/ConversationEvents";
import type { Message } from "../client/Message";
import type { EmbedOptions, GetHistory, GetToken, WidgetSettings } from "./EmbedOptions";

/** `window.AgentGateway`: the host sets `getToken` and perhaps `history`, and this script adds `mount`. */
export interface AgentGateway {
  getToken?: GetToken;
  history?: GetHistory;
  /** The version of this script. */
  version?: string;
  /** Puts a widget into an element; the answer takes it out again. */
  mount?: (element: Element, options: EmbedOptions) => Embedded;
}

/** The events of a widget and their listeners' arguments. */
export interface EmbeddedEvents {
  state: [state: ConversationState];
  /** How many of the customer's messages the agent has not seen yet. */
  unread: [count: number];
  /** A message that has come, or was missed and has been caught up on. */
  message: [message: Message, origin: MessageOrigin];
}

/** A widget in the page. */
export interface Embedded {
  readonly iframe: HTMLIFrameElement;
  /**
   * Listens to an event and answers a function that stops listening. The iframe dispatches the same as DOM events:
   * `agent-gateway:state`, `agent-gateway:unread` and `agent-gateway:message`, which bubble, with what it is about in
   * `detail`.
   */
  on<Name extends keyof EmbeddedEvents>(name: Name, listener: (...args: EmbeddedEvents[Name]) => void): () => void;
  /** Changes what is named, and leaves the rest as it is. */
  update(settings: WidgetSettings): void;
  unmount(): void;
}

declare global {
  interface Window {
    AgentGateway?: AgentGateway;
  }
}
