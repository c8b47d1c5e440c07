import type { GetToken } from "./GetToken";
import type { GetHistory } from "./History";
import type { OpenSocket } from "./openSocket";

/** What a conversation is and how to get to it. */
export interface ConversationOptions {
  /**
   * The gateway's address, such as `https://gateway.example.com`, or `https://portal.example.com/realtime` where a proxy
   * has it below a path; in a page it may be relative to it.
   */
  readonly url: string;
  readonly tenantId: string;
  readonly conversationId: string;
  readonly getToken: GetToken;
  /**
   * Answers messages from the portal's store. It is asked at the start, when the gateway cannot replay all that was
   * missed, and by `loadOlder()`.
   */
  readonly history?: GetHistory;
}

/**
 * What tests put in place of the network and of chance.
 *
 * @internal
 */
export interface ConversationInternals {
  readonly openSocket: OpenSocket;
  readonly random: () => number;
}
