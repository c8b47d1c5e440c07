/** The client module: everything a front end for a conversation needs, and nothing about how it looks. */
export { Conversation, type ConversationOptions } from "./Conversation";
export type { ConversationEvents, Gap, MessageOrigin } from "./ConversationEvents";
export type { ConversationState, OfflineReason, StopReason } from "./ConversationState";
export type { GetToken } from "./Credentials";
export type { DeliveryError, DeliveryStatus, Message, StatusUpdate } from "./Message";
export { UnusableToken } from "./readToken";
export type { Agent, Meta } from "./wire";
