import type { GetToken as GetTokenOf } from "../client/GetToken";
import type { HistoryPage, HistoryRequest } from "../client/History";
import { isTheme, type Theme } from "./protocol";

/** A widget of a page. */
export interface WidgetContext {
  readonly tenantId: string;
  readonly conversationId: string;
  /** The script tag's `data-` attributes, or what `mount` was given: for what only the host knows about its widgets. */
  readonly dataset: Readonly<Record<string, string | undefined>>;
}

/** Which of a page's widgets needs a token, and whether it had one before. */
export interface TokenContext extends WidgetContext {
  /** `initial` until this widget has been given a token, `refresh` from then on: that one has run out, or is about to. */
  readonly reason: "initial" | "refresh";
}

/** Answers a token for a widget. When it fails, the widget says that signing in did not work, and lets the agent try again. */
export type GetToken = GetTokenOf<[context: TokenContext]>;

/** Which messages a widget needs. */
export type HistoryContext = WidgetContext & Omit<HistoryRequest, "getToken">;

/** Answers messages from the portal's store. */
export type GetHistory = (context: HistoryContext) => Promise<HistoryPage>;

/** How a widget is, and where its host's answers come from; `update` changes them. */
export interface WidgetSettings {
  /** A language tag such as `pt-BR`; English if absent. */
  readonly lang?: string | undefined;
  /** What the widget is called: by screen readers, and in its header. */
  readonly title?: string | undefined;
  /** `auto`, as the agent's system has it, if absent. */
  readonly theme?: Theme | undefined;
  /** `false`: without the header, for a portal that has one. */
  readonly header?: boolean | undefined;
  /** A CSS length, or a number of pixels. */
  readonly height?: string | number | undefined;
  readonly dataset?: WidgetContext["dataset"] | undefined;
  /** In place of the page's own, for this widget. */
  readonly getToken?: GetToken | undefined;
  /** In place of the page's own, for this widget. */
  readonly history?: GetHistory | undefined;
}

/** What to show, and how. */
export interface EmbedOptions extends WidgetSettings {
  readonly tenantId: string;
  readonly conversationId: string;
}

/** Reads what a script tag says; undefined when it names no tenant, and so only wants to be there for `mount`. */
export function readOptions(dataset: DOMStringMap): EmbedOptions | undefined {
  const { tenantId, conversationId, lang, title, theme, header, height } = dataset;
  if (tenantId === undefined && conversationId === undefined) return undefined;
  return {
    tenantId: tenantId ?? "",
    conversationId: conversationId ?? "",
    lang,
    title,
    theme: isTheme(theme) ? theme : undefined,
    header: header !== "false",
    height,
    dataset: { ...dataset },
  };
}
