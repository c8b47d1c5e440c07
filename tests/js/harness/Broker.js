import amqp from "amqplib";
import { amqpUrl, giveUp } from "./environment.js";

/** The RabbitMQ that the gateways under test are connected to, as a publisher sees it. */
export class Broker {
  #connection;
  #channel;
  #returned = new Map();
  #published = 0;

  /** Connects, or ends the process with a line that says how to start a broker. */
  static async connect() {
    try {
      const broker = new Broker();
      broker.#connection = await amqp.connect(amqpUrl);
      broker.#channel = await broker.#connection.createConfirmChannel();
      // The broker returns what no queue takes just before it confirms it.
      broker.#channel.on("return", ({ properties, fields }) => {
        broker.#returned.set(properties.messageId, fields.replyText);
      });
      return broker;
    } catch (error) {
      const { hostname, port } = new URL(amqpUrl);
      return giveUp(
        `no RabbitMQ at ${hostname}:${port || 5672} (${error.code ?? error.message}): start one with \`scripts/broker up\``,
      );
    }
  }

  /**
   * Publishes an event and waits until the broker has it: `kind` is `inbound_message` or `status_update`, `body` the
   * event with its two ids.
   */
  async publish(names, kind, body) {
    const messageId = String((this.#published += 1));
    const key = `${kind}.${body.tenantId}.${body.conversationId}`;
    await new Promise((resolve, reject) => {
      const options = { contentType: "application/json", persistent: true, mandatory: true, messageId };
      const content = Buffer.from(JSON.stringify(body));
      this.#channel.publish(names.exchange, key, content, options, (error) => (error ? reject(error) : resolve()));
    });
    const returned = this.#returned.get(messageId);
    if (returned) throw new Error(`no queue took ${key}: ${returned}`);
  }

  /** Whether there is a queue, or a stream, of this name. */
  async has(queue) {
    // A refusal closes the channel.
    const channel = await this.#connection.createChannel();
    channel.on("error", () => {});
    try {
      await channel.checkQueue(queue);
      await channel.close();
      return true;
    } catch (error) {
      if (error.code === 404) return false;
      throw error;
    }
  }

  /** Removes what a gateway has declared. */
  async remove({ exchange, inboundQueue, statusQueue, deadLetterQueue, journalStream }) {
    // One that was never there is no error.
    for (const queue of [inboundQueue, statusQueue, deadLetterQueue, journalStream]) await this.#channel.deleteQueue(queue);
    await this.#channel.deleteExchange(exchange);
  }

  async close() {
    await this.#connection.close();
  }
}
