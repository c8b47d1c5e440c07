/** The client module: everything a front end for a conversation needs, and nothing about how it looks. */
export { Conversation } from "./Conversation";
export type { ConversationOptions } from "./ConversationOptions";
export { fetchHistory, type Place } from "./fetchHistory";
export type { ConversationEvents, Gap, MessageOrigin } from "./ConversationEvents";
export type { ConversationState, OfflineReason, StopReason } from "./ConversationState";
export type { GetToken } from "./GetToken";
export type {
  Context,
  GetHistory,
  HistoryMessage,
  HistoryPage,
  HistoryRequest,
  HistoryState,
  HistoryTask,
} from "./History";
export type {
  Contact,
  DeliveryError,
  DeliveryStatus,
  KnownMessageType,
  Location,
  Message,
  MessageType,
  Reaction,
  ReplyTo,
  StatusUpdate,
} from "./Message";
export { UnusableToken } from "./readToken";
export { VERSION } from "./version";
export type { Agent, Meta } from "./wire";
