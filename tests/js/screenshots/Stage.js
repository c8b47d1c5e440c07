import { Browser } from "../harness/Browser.js";
import { Gateway } from "../harness/Gateway.js";
import { MediaServer } from "../harness/MediaServer.js";
import { address } from "../harness/place.js";
import { Proxy } from "../harness/Proxy.js";
import { until } from "../harness/until.js";

/** Everything happens on the morning of today. */
const today = new Date().toISOString().slice(0, 10);
const NOW = "10:24";
export const at = (time) => (time.includes("T") ? time : `${today}T${time}:00Z`);

/** A day before today, for a conversation that has gone on for some time. */
export const earlier = (days, time) => `${new Date(Date.parse(today) - days * 86_400_000).toISOString().slice(0, 10)}T${time}:00Z`;

/** Where the scenes are played: the gateway, a broker, a browser, and a network that can be cut. */
export class Stage {
  static async open(run, broker) {
    const stage = new Stage();
    stage.run = run;
    stage.media = await MediaServer.start(run);
    stage.gateway = await Gateway.start(run, broker);
    stage.browser = await Browser.launch();
    run.after(() => stage.browser.close());
    return stage;
  }

  /** The widget's page, live, for one scene; `options` are the browser's and `token` in place of a good one. */
  async show(name, { query = {}, token, ...options } = {}) {
    const place = { tenantId: "velo", conversationId: `${name}.447700900123` };
    const network = await Proxy.start(this.run, this.gateway.port);
    const look = { deviceScaleFactor: 1.5, colorScheme: "light", timezoneId: "UTC", ...options };
    const widget = await this.browser.open(this.run, "about:blank", look);
    await widget.page.clock.install({ time: at(NOW) });
    const good = this.gateway.token(place.tenantId, { name: "Maya Lindqvist" });
    await widget.page.goto(address(network, place, token ?? good, { title: "Sam Taylor", ...query }));
    if (token === undefined) await widget.live();
    return new Scene(this, place, widget, network);
  }
}

/** One conversation, and the page that shows it. */
export class Scene {
  #stage;
  #place;
  #count = 0;

  constructor(stage, place, widget, network) {
    this.#stage = stage;
    this.#place = place;
    this.widget = widget;
    this.page = widget.page;
    this.network = network;
  }

  get media() {
    return this.#stage.media;
  }

  /** The customer writes at this time of the day. */
  async customer(time, message) {
    const send = (body) => this.#stage.gateway.publish(this.#place, "inbound_message", { from: "447700900123", ...body });
    return this.#shown(send, time, message);
  }

  /** The agent's side writes, and this is how far it comes. */
  async agent(time, status, message, error = undefined) {
    const messageId = await this.#shown((body) => this.#stage.gateway.emit(this.#place, "outbound_message", body), time, message);
    await this.#stage.gateway.publish(this.#place, "status_update", { messageId, status, ...(error && { error }) });
    await this.widget.ticked(messageId, status);
    return messageId;
  }

  async #shown(send, time, message) {
    const messageId = `wamid.${(this.#count += 1)}`;
    const body = typeof message === "string" ? { text: message } : message;
    await send({ messageId, timestamp: at(time), ...body });
    if (await this.widget.part("to-latest").or(this.widget.part("pill")).count()) return messageId;
    await this.widget.message(messageId).waitFor();
    return messageId;
  }

  /** Waits until everything that was sent for is there and drawn. */
  async settled() {
    await until("the pictures", () =>
      this.page.evaluate(() => [...document.images].every(({ complete, naturalWidth }) => complete && naturalWidth > 0)),
    );
    await this.page.evaluate(() => document.fonts.ready);
  }
}
