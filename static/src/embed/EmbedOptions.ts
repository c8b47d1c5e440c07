/** Which of a page's widgets needs a token, and whether it had one before. */
export interface TokenContext {
  readonly tenantId: string;
  readonly conversationId: string;
  /** The script tag's `data-` attributes, or what `mount` was given: for what only the host knows about its widgets. */
  readonly dataset: Readonly<Record<string, string | undefined>>;
  /** `initial` until this widget has been given a token, `refresh` from then on: that one has run out, or is about to. */
  readonly reason: "initial" | "refresh";
}

/** Answers a token for a widget. When it fails, the widget says that signing in did not work, and lets the agent try again. */
export type GetToken = (context: TokenContext) => string | Promise<string>;

/** What to show, and how. */
export interface EmbedOptions {
  readonly tenantId: string;
  readonly conversationId: string;
  /** A language tag such as `pt-BR`; English if absent. */
  readonly lang?: string | undefined;
  /** What the widget is called: by screen readers, and in its header. */
  readonly title?: string | undefined;
  /** A CSS length, or a number of pixels. */
  readonly height?: string | number | undefined;
  readonly dataset?: TokenContext["dataset"] | undefined;
  /** In place of the page's own, for this widget. */
  readonly getToken?: GetToken | undefined;
}

/** `window.AgentGateway`: the host sets `getToken`, and this script adds `mount`. */
export interface AgentGateway {
  getToken?: GetToken;
  /** Puts a widget into an element; the answer takes it out again. */
  mount?: (element: Element, options: EmbedOptions) => Embedded;
}

/** A widget in the page. */
export interface Embedded {
  readonly iframe: HTMLIFrameElement;
  unmount(): void;
}

declare global {
  interface Window {
    AgentGateway?: AgentGateway;
  }
}

/** Reads what a script tag says; undefined when it names no tenant, and so only wants to be there for `mount`. */
export function readOptions(dataset: DOMStringMap): EmbedOptions | undefined {
  const { tenantId, conversationId, lang, title, height } = dataset;
  if (tenantId === undefined && conversationId === undefined) return undefined;
  return { tenantId: tenantId ?? "", conversationId: conversationId ?? "", lang, title, height, dataset: { ...dataset } };
}
