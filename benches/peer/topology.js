/** Declares the exchange and the queues, with the arguments that the gateway gives them. */
export async function declare(channel, { exchange, inbound, status, deadLetters }) {
  await channel.assertExchange(exchange, "topic", { durable: true });
  await channel.assertQueue(deadLetters, { durable: true, arguments: { "x-queue-type": "quorum" } });
  for (const [queue, key] of [[inbound, "inbound_message.#"], [status, "status_update.#"]]) {
    await channel.assertQueue(queue, {
      durable: true,
      arguments: {
        "x-queue-type": "quorum",
        "x-single-active-consumer": true,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": deadLetters,
      },
    });
    await channel.bindQueue(queue, exchange, key);
  }
}
