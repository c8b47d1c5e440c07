import { Emitter } from "../client/Emitter";
import type { Embedded, EmbeddedEvents } from "./AgentGateway";
import type { EmbedOptions, GetHistory, GetToken, WidgetContext, WidgetSettings } from "./EmbedOptions";
import { writeWidgetOptions, type FromHost, type FromWidget, type PageRequest, type WidgetOptions } from "./protocol";

/** How high a widget is where the host does not say. */
const HEIGHT = "600px";

/** Finds the page's functions when they are needed. */
export interface HostFunctions {
  getToken(): Promise<GetToken | undefined>;
  history(): Promise<GetHistory | undefined>;
  /** Whether there may be a history; not whether there is. */
  readonly mayHaveHistory: boolean;
}

/**
 * The widget in an iframe, and the host's part of what the two post to each other: each time the frame says that it is
 * ready, it is given a token, or `null` when there is none to be had. Only this frame is listened to, and only as
 * long as the gateway's own page is in it; what is posted can be read by that page alone.
 */
export class WidgetFrame implements Embedded {
  readonly iframe: HTMLIFrameElement;
  readonly #gateway: string;
  readonly #host: HostFunctions;
  readonly #emitter = new Emitter<EmbeddedEvents>();
  readonly #asked = new Map<number, AbortController>();
  #options: EmbedOptions;
  #given = false;
  /** What the frame's address does not say. */
  #changes: WidgetOptions | undefined;
  /** The gateway's page is in the frame: before, nothing can be posted to it. */
  #loaded = false;

  /** `gateway` is the address below which it answers. */
  constructor(gateway: URL, options: EmbedOptions, host: HostFunctions) {
    this.#gateway = gateway.origin;
    this.#options = options;
    this.#host = host;
    this.iframe = document.createElement("iframe");
    const { tenantId, conversationId } = options;
    const query = new URLSearchParams({ tenantId, conversationId });
    writeWidgetOptions(look(options), query);
    if (options.history || host.mayHaveHistory) query.set("history", "host");
    this.iframe.src = new URL(`widget?${query}`, gateway).href;
    this.iframe.allow = "fullscreen";
    this.iframe.referrerPolicy = "no-referrer";
    // Property by property, which a host's content security policy cannot object to.
    const { style } = this.iframe;
    style.display = "block";
    style.boxSizing = "border-box";
    style.width = "100%";
    style.border = "0";
    this.#dress();
    window.addEventListener("message", this.#onMessage);
  }

  on<Name extends keyof EmbeddedEvents>(name: Name, listener: (...args: EmbeddedEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  update(settings: WidgetSettings): void {
    this.#options = { ...this.#options, ...settings };
    this.#dress();
    const options = look(settings);
    this.#changes = { ...this.#changes, ...options };
    if (this.#loaded) this.#post({ type: "agent-gateway:options", options });
  }

  /** Takes the widget out of the page; it is given nothing more. */
  unmount(): void {
    window.removeEventListener("message", this.#onMessage);
    for (const controller of this.#asked.values()) controller.abort();
    this.iframe.remove();
  }

  /** What the page around the widget shows of it. */
  #dress(): void {
    const { conversationId, title, height = HEIGHT } = this.#options;
    this.iframe.title = title || `Conversation ${conversationId}`;
    this.iframe.style.height = /^[0-9.]+$/.test(String(height)) ? `${height}px` : String(height);
  }

  readonly #onMessage = ({ source, origin, data }: MessageEvent): void => {
    if (source === null || source !== this.iframe.contentWindow || origin !== this.#gateway) return;
    if (typeof data !== "object" || data === null) return;
    this.#loaded = true;
    const message = data as FromWidget;
    switch (message.type) {
      case "agent-gateway:ready":
        // Perhaps for the first time, or anew after a reload.
        if (this.#changes) this.#post({ type: "agent-gateway:options", options: this.#changes });
        return void this.#giveToken();
      case "agent-gateway:history":
        return void this.#giveHistory(message);
      case "agent-gateway:history-abort":
        return this.#asked.get(message.id)?.abort();
      case "agent-gateway:state":
        return this.#tell("state", message.state);
      case "agent-gateway:unread":
        return this.#tell("unread", message.unread);
      case "agent-gateway:message":
        return this.#tell("message", message.message, message.origin);
    }
  };

  #tell<Name extends keyof EmbeddedEvents>(name: Name, ...args: EmbeddedEvents[Name]): void {
    this.#emitter.emit(name, ...args);
    this.iframe.dispatchEvent(new CustomEvent(`agent-gateway:${name}`, { detail: args[0], bubbles: true }));
  }

  async #giveToken(): Promise<void> {
    let token: string | null = null;
    try {
      token = await this.#askToken();
      this.#given = true;
    } catch (cause) {
      // The host hears of it as of any mistake of its own; the widget hears only that there is no token.
      reportError(new Error("agent-gateway: getToken failed", { cause }));
    }
    this.#post({ type: "agent-gateway:token", token });
  }

  async #askToken(): Promise<string> {
    const getToken = this.#options.getToken ?? (await this.#host.getToken());
    if (!getToken) throw new Error("window.AgentGateway.getToken is not a function");
    const token: unknown = await getToken({ ...this.#context, reason: this.#given ? "refresh" : "initial" });
    if (typeof token !== "string" || token === "") throw new Error("getToken answered no token");
    return token;
  }

  async #giveHistory({ id, before, beforeTimestamp, limit }: PageRequest & { readonly id: number }): Promise<void> {
    const controller = new AbortController();
    this.#asked.set(id, controller);
    const { signal } = controller;
    const edge = {
      ...(before !== undefined && { before }),
      ...(beforeTimestamp !== undefined && { beforeTimestamp }),
    };
    try {
      const history = this.#options.history ?? (await this.#host.history());
      const page = history ? await history({ ...this.#context, ...edge, limit, signal }) : null;
      this.#post({ type: "agent-gateway:history", id, page });
    } catch (cause) {
      if (signal.aborted) return;
      reportError(new Error("agent-gateway: history failed", { cause }));
      this.#post({ type: "agent-gateway:history", id });
    } finally {
      this.#asked.delete(id);
    }
  }

  get #context(): WidgetContext {
    const { tenantId, conversationId, dataset = {} } = this.#options;
    return { tenantId, conversationId, dataset };
  }

  #post(message: FromHost): void {
    this.iframe.contentWindow?.postMessage(message, this.#gateway);
  }
}

/** What the widget itself has to know of its settings. */
function look({ title, lang, theme, header }: WidgetSettings): WidgetOptions {
  return {
    ...(title !== undefined && { title }),
    ...(lang !== undefined && { lang }),
    ...(theme !== undefined && { theme }),
    ...(header !== undefined && { header }),
  };
}
