import type { Embedded, EmbedOptions, GetToken } from "./EmbedOptions";

/** How high a widget is where the host does not say. */
const HEIGHT = "600px";

/**
 * The widget in an iframe, and the host's part of the handshake with it: each time the frame says that it is
 * ready, it is given a token, or `null` when there is none to be had. Only this frame is listened to, and only as
 * long as the gateway's own page is in it; what is posted can be read by that page alone.
 */
export class WidgetFrame implements Embedded {
  readonly iframe: HTMLIFrameElement;
  readonly #gateway: string;
  readonly #options: EmbedOptions;
  readonly #getToken: () => Promise<GetToken | undefined>;
  #given = false;

  /** `gateway` is the address below which it answers; `getToken` finds the host's function when it is needed. */
  constructor(gateway: URL, options: EmbedOptions, getToken: () => Promise<GetToken | undefined>) {
    this.#gateway = gateway.origin;
    this.#options = options;
    this.#getToken = getToken;
    this.iframe = document.createElement("iframe");
    const { tenantId, conversationId, lang, title, height = HEIGHT } = options;
    const query = new URLSearchParams({ tenantId, conversationId });
    if (lang) query.set("lang", lang);
    if (title) query.set("title", title);
    this.iframe.src = new URL(`widget?${query}`, gateway).href;
    this.iframe.title = title || `Conversation ${conversationId}`;
    this.iframe.allow = "fullscreen";
    this.iframe.referrerPolicy = "no-referrer";
    // Property by property, which a host's content security policy cannot object to.
    const { style } = this.iframe;
    style.display = "block";
    style.boxSizing = "border-box";
    style.width = "100%";
    style.height = /^[0-9.]+$/.test(String(height)) ? `${height}px` : String(height);
    style.border = "0";
    window.addEventListener("message", this.#onMessage);
  }

  /** Takes the widget out of the page; it is given nothing more. */
  unmount(): void {
    window.removeEventListener("message", this.#onMessage);
    this.iframe.remove();
  }

  readonly #onMessage = ({ source, origin, data }: MessageEvent): void => {
    if (source === null || source !== this.iframe.contentWindow || origin !== this.#gateway) return;
    if (typeof data === "object" && data?.type === "agent-gateway:ready") void this.#answer();
  };

  async #answer(): Promise<void> {
    let token: string | null = null;
    try {
      token = await this.#ask();
      this.#given = true;
    } catch (cause) {
      // The host hears of it as of any mistake of its own; the widget hears only that there is no token.
      reportError(new Error("agent-gateway: getToken failed", { cause }));
    }
    this.iframe.contentWindow?.postMessage({ type: "agent-gateway:token", token }, this.#gateway);
  }

  async #ask(): Promise<string> {
    const { tenantId, conversationId, dataset = {} } = this.#options;
    const getToken = await this.#getToken();
    if (!getToken) throw new Error("window.AgentGateway.getToken is not a function");
    const token: unknown = await getToken({
      tenantId,
      conversationId,
      dataset,
      reason: this.#given ? "refresh" : "initial",
    });
    if (typeof token !== "string" || token === "") throw new Error("getToken answered no token");
    return token;
  }
}
