/**
 * What the widget and the page around it post to each other. The first two are all that a host needs that frames the
 * widget by itself; the rest is between `/embed.js` and the widget of one gateway.
 */
import type { ConversationState, HistoryPage, HistoryRequest, Message, MessageOrigin } from "../client";

/** From the widget. */
export type FromWidget =
  /** A token is needed. */
  | { readonly type: "agent-gateway:ready" }
  | ({ readonly type: "agent-gateway:history"; readonly id: number } & PageRequest)
  | { readonly type: "agent-gateway:history-abort"; readonly id: number }
  | WidgetEvent;

/** From the page around it. */
export type FromHost =
  /** `null`: there is none to be had. */
  | { readonly type: "agent-gateway:token"; readonly token: string | null }
  /** `page` is absent where `history` has failed, and `null` where there is no `history`. */
  | { readonly type: "agent-gateway:history"; readonly id: number; readonly page?: HistoryPage | null }
  | { readonly type: "agent-gateway:options"; readonly options: WidgetOptions };

/** What has happened in the widget. */
export type WidgetEvent =
  | { readonly type: "agent-gateway:state"; readonly state: ConversationState }
  | { readonly type: "agent-gateway:unread"; readonly unread: number }
  | { readonly type: "agent-gateway:message"; readonly message: Message; readonly origin: MessageOrigin };

/** What a host is asked for when older messages are needed. */
export type PageRequest = Pick<HistoryRequest, "before" | "beforeTimestamp" | "limit">;

export type Theme = "light" | "dark" | "auto";

/** How the widget is to look; what is absent is as the widget has it. */
export interface WidgetOptions {
  readonly title?: string;
  readonly lang?: string;
  readonly theme?: Theme;
  readonly header?: boolean;
}

/** Reads them from the query of the widget's address. */
export function readWidgetOptions(search: string): WidgetOptions {
  const query = new URLSearchParams(search);
  const [title, lang, theme] = ["title", "lang", "theme"].map((name) => query.get(name) || undefined);
  return {
    ...(title !== undefined && { title }),
    ...(lang !== undefined && { lang }),
    ...(isTheme(theme) && { theme }),
    ...(query.get("header") === "false" && { header: false }),
  };
}

/** Writes them into the query of the widget's address. */
export function writeWidgetOptions({ title, lang, theme, header }: WidgetOptions, query: URLSearchParams): void {
  if (title) query.set("title", title);
  if (lang) query.set("lang", lang);
  if (theme && theme !== "auto") query.set("theme", theme);
  if (header === false) query.set("header", "false");
}

export function isTheme(value: unknown): value is Theme {
  return value === "light" || value === "dark" || value === "auto";
}
