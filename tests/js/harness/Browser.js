import { chromium as playwright } from "playwright-core";
import { chromium } from "./environment.js";
import { glimpse } from "./glimpse.js";
import { DEADLINE_MS } from "./until.js";

/** What keeps Chromium quiet and on this machine. */
const ARGUMENTS = [
  "--no-sandbox",
  "--headless",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Sound plays against the clock, and not into a sound server that this machine may half have.
  "--disable-audio-output",
];

/** What Chromium writes to the console while a server is away; a page can neither cause nor prevent it. */
const NETWORK_IS_AWAY = [
  /^error: Failed to load resource: net::ERR_/,
  /^error: WebSocket connection to '[^']+' failed: /,
];

/** A real Chromium. */
export class Browser {
  #browser;

  static async launch() {
    const browser = new Browser();
    browser.#browser = await playwright.launch({ executablePath: chromium(), args: ARGUMENTS });
    return browser;
  }

  /** A page of the gateway's without any past, for one test. */
  async open(t, address, options = {}) {
    const context = await this.#browser.newContext({ locale: "en-GB", viewport: { width: 420, height: 640 }, ...options });
    t.after(() => context.close());
    context.setDefaultTimeout(DEADLINE_MS);
    const page = await context.newPage();
    const widget = new Widget(page);
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
        console.error(`policy violation: ${violatedDirective} ${blockedURI}`);
      });
    });
    await page.goto(address);
    return widget;
  }

  /** Begins to record what the browser does for a page: the tasks of its threads, with their time on the processor. */
  async startTrace({ page }) {
    await this.#browser.startTracing(page, { categories: ["disabled-by-default-devtools.timeline", "__metadata"] });
  }

  /** Ends it, and answers the events. */
  async stopTrace() {
    return JSON.parse((await this.#browser.stopTracing()).toString()).traceEvents;
  }

  async close() {
    await this.#browser.close();
  }
}

/** The widget's page, by the hooks that it offers to tests. */
export class Widget {
  /** Errors and warnings of the console, uncaught exceptions, failed answers, dialogs, requests to other hosts. */
  #problems = [];
  /** Where the widget is: the page, or a frame of it. */
  root;

  /** `root` is given for a widget in a frame of the page; the page watches for problems of all its frames. */
  constructor(page, root) {
    this.page = page;
    this.root = root ?? page;
    if (root) return;
    page.on("console", (message) => {
      if (["error", "warning", "assert"].includes(message.type())) this.#problems.push(`${message.type()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.#problems.push(`uncaught: ${error}`));
    page.on("response", (response) => {
      if (response.status() >= 400) this.#problems.push(`${response.status()}: ${response.url()}`);
    });
    page.on("request", (request) => {
      const { hostname } = new URL(request.url());
      if (hostname !== "127.0.0.1") this.#problems.push(`request elsewhere: ${request.url()}`);
    });
    page.on("dialog", async (dialog) => {
      this.#problems.push(`dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("popup", (popup) => this.#problems.push(`popup: ${popup.url()}`));
  }

  /** The widget in a frame of the page. */
  frame(selector) {
    return new Widget(this.page, this.page.frameLocator(selector));
  }

  /** What has gone wrong so far. `outage`: the server was away in between, of which the browser complains. */
  problems({ outage = false } = {}) {
    return this.#problems.filter((problem) => !(outage && NETWORK_IS_AWAY.some((pattern) => pattern.test(problem))));
  }

  /** A part of the page by its hook, in a given state. */
  part(name, attributes = {}) {
    const conditions = Object.entries(attributes).map(([key, value]) => `[data-${key}=${JSON.stringify(value)}]`);
    return this.root.locator(`[data-testid="${name}"]${conditions.join("")}`);
  }

  message(messageId) {
    return this.part("message", { "message-id": messageId });
  }

  /** Waits until a part is there. */
  async sees(name, attributes) {
    const part = this.part(name, attributes);
    await part.waitFor({ state: "visible" });
    return part;
  }

  /** Looks out for a part that is there for a moment only; answers how to wait until it has been. */
  async glimpses(name) {
    return glimpse(this.root, `[data-testid="${name}"]`);
  }

  /** Waits until a part is not there. */
  async misses(name, attributes) {
    await this.part(name, attributes).waitFor({ state: "detached" });
  }

  async live() {
    await this.sees("state", { state: "live" });
  }

  /** Waits until the log has not moved for some frames: a key's scrolling is animated, and what follows it takes a moment. */
  async rests() {
    await this.root.locator("[role=log]").evaluate(async (log) => {
      for (let still = 0, last = NaN; still < 20; still = log.scrollTop === last ? still + 1 : 0) {
        last = log.scrollTop;
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    });
  }

  /** Waits for a message, and answers its text as it is on the screen. */
  async text(messageId) {
    return this.message(messageId).locator(".text").innerText();
  }

  /** Waits until a message has this tick. */
  async ticked(messageId, status) {
    await this.message(messageId).locator(`[data-testid="tick"][data-status="${status}"]`).waitFor();
  }

  /** The ids of the messages in view, from top to bottom. */
  async inView() {
    return this.part("message").evaluateAll((rows) => {
      const edges = document.querySelector("[role=log]")?.getBoundingClientRect();
      return rows
        .filter((row) => row.getBoundingClientRect().bottom > edges.top + 1 && row.getBoundingClientRect().top < edges.bottom - 1)
        .map(({ dataset }) => dataset.messageId);
    });
  }

  /** The ids of the messages on the page, from top to bottom. */
  async messageIds() {
    return this.part("message").evaluateAll((messages) => messages.map(({ dataset }) => dataset.messageId));
  }
}
