import { createHash, timingSafeEqual } from "node:crypto";
import express from "express";
import { room } from "./agents.js";

const hash = (text) => createHash("sha256").update(text).digest();

/** `POST /emit` with one of the keys: emits to the room of a conversation. */
export function relay(io, keys) {
  const hashes = keys.map(hash);
  const router = express.Router();
  router.use((request, response, next) => {
    const key = hash(request.get("x-internal-api-key") ?? "");
    if (hashes.some((one) => timingSafeEqual(one, key))) return next();
    response.status(401).json({ ok: false, error: { code: "unauthorized" } });
  });
  router.use(express.json({ limit: "256kb" }));
  router.post("/emit", (request, response) => {
    const { tenantId, conversationId, event, payload } = request.body ?? {};
    if (!tenantId || !conversationId || !event || !payload) {
      return response.status(422).json({ ok: false, error: { code: "invalid_request" } });
    }
    io.to(room(tenantId, conversationId)).emit(event, payload);
    response.json({ ok: true });
  });
  return router;
}
