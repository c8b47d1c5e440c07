/** The client module for React. */
export type { ConversationSnapshot } from "./ConversationStore";
export { useConversation, type LiveConversation } from "./useConversation";
