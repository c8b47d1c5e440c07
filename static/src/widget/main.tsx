import { render } from "preact";
import { Conversation, UnusableToken } from "../client";
import { readWidgetOptions } from "../embed/protocol";
import { App, Refusal } from "./App";
import { ConversationView } from "./ConversationView";
import { historySource } from "./historySource";
import { Unread } from "./log/Unread";
import { Look } from "./Look";
import { readPlace } from "./PageAddress";
import { GATEWAY_URL, SANDBOXED } from "./PageBase";
import type { Blocker } from "./strings/Strings";
import { TokenSource } from "./TokenSource";
import "../look/base.css";
import "./widget.css";

const root = document.getElementById("app")!;
const look = new Look(readWidgetOptions(location.search));
// Else the page says itself, without a script, that this browser is too old.
if (CSS.supports("color", "light-dark(#000, #fff)")) start();

function start(): void {
  const place = readPlace(location.search);
  if (!place) return refuse("missing-conversation", undefined);
  if (SANDBOXED) return refuse("sandboxed", place.conversationId);
  const tokens = new TokenSource(place);
  if (tokens.missing) {
    // A token that is added to the address later changes only the fragment, which loads no new page.
    window.addEventListener("hashchange", start, { once: true });
    return refuse("missing-token", place.conversationId);
  }

  const { host } = tokens;
  const history = historySource(place, host);
  const conversation = new Conversation({
    url: GATEWAY_URL,
    ...place,
    getToken: tokens.get,
    ...(history && { history }),
  });
  tokens.serves(conversation);
  conversation.on("error", ({ message, cause }) => {
    // What else may fail about a token, the host has heard of already.
    if (cause instanceof UnusableToken) console.error(`agent-gateway: ${cause.message}`);
    else if (message === "history failed") console.error(`agent-gateway: ${message}: ${String(cause)}`);
  });
  conversation.on("state", (state) => host?.tell({ type: "agent-gateway:state", state }));
  conversation.on("message", (message, origin, news) => {
    if (news) host?.tell({ type: "agent-gateway:message", message, origin });
  });
  conversation.on("messages", (messages, origin, news) => {
    for (const message of messages.slice(messages.length - news))
      host?.tell({ type: "agent-gateway:message", message, origin });
  });
  const unread = new Unread(conversation, document);
  unread.on("change", () => host?.tell({ type: "agent-gateway:unread", unread: unread.count }));
  host?.on("options", (options) => look.update(options));
  conversation.connect();
  const view = new ConversationView(conversation);
  root.replaceChildren();
  render(<App conversation={conversation} view={view} unread={unread} look={look} name={place.conversationId} />, root);
}

/** Shows what is wrong with the link, instead of a conversation that would look empty. */
function refuse(why: Blocker, name: string | undefined): void {
  root.replaceChildren();
  render(<Refusal why={why} look={look} name={name} />, root);
}
