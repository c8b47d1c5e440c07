import { glimpse } from "./glimpse.js";
import { until } from "./until.js";

/** Whose widgets there are. */
export const AGENTS = ["ada", "grace"];

/** The playground's page, by the hooks that it and the two widgets in it offer to tests. */
export class Playground {
  #opened;

  /** Opens it and waits until both widgets are live. */
  static async open(t, browser, { url }, options = {}) {
    const viewport = { width: 1280, height: 900 };
    const playground = new Playground(await browser.open(t, `${url}/playground`, { viewport, ...options }));
    await playground.both((agent) => playground.live(agent));
    return playground;
  }

  constructor(opened) {
    this.#opened = opened;
    this.page = opened.page;
  }

  problems(options) {
    return this.#opened.problems(options);
  }

  frame(agent) {
    return this.page.frameLocator(`[data-testid="frame-${agent}"] iframe`);
  }

  part(agent, name, attributes = {}) {
    const conditions = Object.entries(attributes).map(([key, value]) => `[data-${key}=${JSON.stringify(value)}]`);
    return this.frame(agent).locator(`[data-testid="${name}"]${conditions.join("")}`);
  }

  /** Looks out for a part that is there for a moment only; answers how to wait until it has been. */
  async glimpses(agent, name) {
    return glimpse(this.frame(agent), `[data-testid="${name}"]`);
  }

  message(agent, messageId) {
    return this.part(agent, "message", { "message-id": messageId });
  }

  async live(agent) {
    // Not "visible": a narrow screen hides one of them.
    await this.part(agent, "state", { state: "live" }).waitFor({ state: "attached" });
  }

  async ticked(agent, messageId, status) {
    await this.message(agent, messageId).locator(`[data-testid="tick"][data-status="${status}"]`).waitFor();
  }

  /** Looks at both widgets at the same time. */
  async both(look) {
    await Promise.all(AGENTS.map(look));
  }

  /** Waits for a line of the log. */
  async noted(text) {
    await this.#lines(text).first().waitFor();
  }

  /** Waits until a text is the latest answer to tick. */
  async offers(text) {
    const latest = this.page.getByTestId("tick-message").locator("option").first();
    await until(`${text} to tick`, async () => (await latest.textContent()).includes(text));
  }

  /** Presses a button, waits for the line that it brings, and answers the id in that. */
  async press(button, line) {
    return this.does(line, () => this.page.getByTestId(button).click());
  }

  async does(line, action) {
    const before = await this.#lines(line).count();
    await action();
    const written = this.#lines(line).nth(before);
    await written.waitFor();
    const id = written.locator("code");
    return (await id.count()) > 0 ? id.innerText() : undefined;
  }

  #lines(text) {
    return this.page.getByTestId("log").locator("p", { hasText: text });
  }
}
