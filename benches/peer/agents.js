import jwt from "jsonwebtoken";

/** The room of a conversation. */
export const room = (tenantId, conversationId) => `${tenantId}:${conversationId}`;

/** Lets agents with a token into the room of the conversation that they ask for. */
export function serveAgents(io, secret) {
  io.use((socket, next) => {
    const { token } = socket.handshake.auth;
    const { tenantId, conversationId } = socket.handshake.query;
    if (!token) return next(new Error("Authentication required"));
    let claims;
    try {
      claims = jwt.verify(token, secret, { algorithms: ["HS256"], clockTolerance: 5 });
    } catch {
      return next(new Error("Invalid token"));
    }
    if (typeof tenantId !== "string" || typeof conversationId !== "string") {
      return next(new Error("Invalid conversation"));
    }
    const { conversations = "*" } = claims;
    if (claims.tenantId !== tenantId || (conversations !== "*" && !conversations.includes(conversationId))) {
      return next(new Error("Forbidden"));
    }
    Object.assign(socket.data, { tenantId, conversationId, agent: { id: claims.sub, name: claims.name } });
    next();
  });

  io.on("connection", (socket) => {
    const { tenantId, conversationId, agent } = socket.data;
    socket.join(room(tenantId, conversationId));
    socket.emit("joined", { tenantId, conversationId, agent });
  });
}
