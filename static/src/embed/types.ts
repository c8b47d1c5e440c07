/** The types of `/embed.js`: of `window.AgentGateway`, and of what it takes and answers. */
export type { AgentGateway, Embedded, EmbeddedEvents } from "./AgentGateway";
export type {
  EmbedOptions,
  GetHistory,
  GetToken,
  HistoryContext,
  TokenContext,
  WidgetContext,
  WidgetSettings,
} from "./EmbedOptions";
export type { Theme } from "./protocol";
export type {
  Contact,
  Context,
  ConversationState,
  DeliveryError,
  DeliveryStatus,
  HistoryMessage,
  HistoryPage,
  Location,
  Message,
  MessageOrigin,
  MessageType,
  OfflineReason,
  Reaction,
  ReplyTo,
  StopReason,
} from "../client";
