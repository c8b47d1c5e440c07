import { io } from "socket.io-client";
import { readEndpoint } from "./readEndpoint";
import type { Refusal } from "./verdict";

/** Where a connection goes and what it brings along. */
export interface SocketTarget {
  readonly url: string;
  readonly tenantId: string;
  readonly conversationId: string;
  readonly token: string;
  readonly cursor: string | undefined;
  /** The last try over WebSocket got no answer: something on the way may be swallowing it. */
  readonly pollingFirst: boolean;
}

/** What a `Conversation` needs of a Socket.IO socket. */
export interface Socket {
  on(event: "connect_error", listener: (error: Refusal) => void): unknown;
  on(event: "disconnect", listener: (reason: string) => void): unknown;
  onAny(listener: (event: string, ...args: unknown[]) => void): unknown;
  emit(event: "refresh_token", payload: { token: string }, ack: (answer: RefreshAnswer) => void): unknown;
  disconnect(): unknown;
}

/** The gateway's answer to `refresh_token`. */
export type RefreshAnswer =
  { readonly ok: true; readonly expiresAt: string } | { readonly ok: false; readonly error: string };

export type OpenSocket = (target: SocketTarget) => Socket;

/**
 * Opens a socket for one try. Reconnecting is the caller's: Socket.IO's own does not come back after a refused
 * connect or a disconnect by the server, and knows neither this schedule nor the cursor.
 */
export const openSocket: OpenSocket = ({ url, tenantId, conversationId, token, cursor, pollingFirst }) => {
  const { origin, path } = readEndpoint(url);
  return io(origin, {
    path,
    query: { tenantId, conversationId },
    auth: cursor === undefined ? { token } : { token, cursor },
    // WebSocket first, because it needs no sticky sessions where several replicas run; polling where it is blocked.
    transports: pollingFirst ? ["polling", "websocket"] : ["websocket", "polling"],
    tryAllTransports: true,
    reconnection: false,
    forceNew: true,
  });
};
