import { room } from "./agents.js";

/** Emits each delivery of the queue to the room of its conversation, and acknowledges it then. */
export async function consume(channel, queue, event, io) {
  await channel.consume(queue, (delivery) => {
    if (delivery === null) throw new Error(`the broker has cancelled the consumer of ${queue}`);
    let body;
    try {
      body = JSON.parse(delivery.content.toString());
    } catch {
      return channel.nack(delivery, false, false);
    }
    const { tenantId, conversationId, ...payload } = body;
    if (!tenantId || !conversationId || !payload.messageId) return channel.nack(delivery, false, false);
    io.to(room(tenantId, conversationId)).emit(event, payload);
    channel.ack(delivery);
  });
}
