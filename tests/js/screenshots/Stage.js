import { Browser } from "../harness/Browser.js";
import { Gateway } from "../harness/Gateway.js";
import { HistoryServer } from "../harness/HistoryServer.js";
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
    stage.broker = broker;
    stage.media = await MediaServer.start(run);
    stage.history = await HistoryServer.start(run);
    stage.gateway = await Gateway.start(run, broker);
    stage.browser = await Browser.launch();
    run.after(() => stage.browser.close());
    return stage;
  }

  /**
   * The widget's page, live, for one scene; `options` are the browser's, `token` in place of a good one, `variables` those of
   * a gateway of the scene's own. `held`: before its first script.
   */
  async show(name, { query = {}, token, variables, held = false, ...options } = {}) {
    const place = { tenantId: "velo", conversationId: `${name}.447700900123` };
    const chosen = typeof variables === "function" ? variables(this) : variables;
    const gateway = chosen ? await Gateway.start(this.run, this.broker, chosen) : this.gateway;
    const network = await Proxy.start(this.run, gateway.port);
    const look = { deviceScaleFactor: 1.5, colorScheme: "light", timezoneId: "UTC", ...options };
    const widget = await this.browser.open(this.run, "about:blank", look);
    await widget.page.clock.install({ time: at(NOW) });
    if (held) await widget.page.route("**/*.js", () => {});
    const good = gateway.token(place.tenantId, { name: "Maya Lindqvist" });
    const link = address(network, place, token ?? good, { title: "Sam Taylor", ...query });
    await widget.page.goto(link, { waitUntil: held ? "commit" : "load" });
    if (token === undefined && !held) await widget.live();
    return new Scene(this, gateway, place, widget, network);
  }
}

/** One conversation, and the page that shows it. */
export class Scene {
  #stage;
  #gateway;
  #place;
  #count = 0;

  constructor(stage, gateway, place, widget, network) {
    this.#stage = stage;
    this.#gateway = gateway;
    this.#place = place;
    this.widget = widget;
    this.page = widget.page;
    this.network = network;
  }

  get media() {
    return this.#stage.media;
  }

  /** The portal's history service, for a gateway that has it. */
  get history() {
    return this.#stage.history;
  }

  get place() {
    return this.#place;
  }

  /** The customer writes at this time of the day. */
  async customer(time, message) {
    return this.#shown((body) => this.customerDoes(body), time, message);
  }

  /** What the customer does besides: it need not become a message of its own. */
  async customerDoes(body) {
    await this.#gateway.publish(this.#place, "inbound_message", { from: "447700900123", ...this.#named(body) });
  }

  /** The agent's side writes, and this is how far it comes. */
  async agent(time, status, message, error = undefined) {
    const messageId = await this.#shown((body) => this.agentDoes(body), time, message);
    await this.#gateway.publish(this.#place, "status_update", { messageId, status, ...(error && { error }) });
    await this.widget.ticked(messageId, status);
    return messageId;
  }

  /** What the agent's side does besides. */
  async agentDoes(body) {
    await this.#gateway.emit(this.#place, "outbound_message", this.#named(body));
  }

  async #shown(send, time, message) {
    const body = this.#named({ timestamp: at(time), ...(typeof message === "string" ? { text: message } : message) });
    await send(body);
    if (await this.widget.part("to-latest").or(this.widget.part("pill")).count()) return body.messageId;
    await this.widget.message(body.messageId).waitFor();
    return body.messageId;
  }

  #named(body) {
    return { messageId: `wamid.${(this.#count += 1)}`, ...body };
  }

  /** Waits until everything that was sent for is there and drawn. */
  async settled() {
    await until("the pictures", () =>
      this.page.evaluate(() => [...document.images].every(({ complete, naturalWidth }) => complete && naturalWidth > 0)),
    );
    await this.page.evaluate(() => document.fonts.ready);
  }
}
