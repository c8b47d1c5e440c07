import { render } from "preact";
import { Conversation, UnusableToken } from "../client";
import { App } from "./App";
import { ConversationView } from "./ConversationView";
import { DateText } from "./DateText";
import { Header } from "./Header";
import { historySource } from "./historySource";
import { readPlace, readTitle } from "./PageAddress";
import { GATEWAY_URL, SANDBOXED } from "./PageBase";
import { StoppedPanel } from "./StoppedPanel";
import { stringsFor, type Blocker } from "./strings";
import { TextsProvider } from "./Texts";
import { TokenSource } from "./TokenSource";
import "../look/base.css";
import "./widget.css";

const strings = stringsFor(new URLSearchParams(location.search).get("lang"));
const texts = { strings, dates: new DateText(strings, navigator.languages) };
const root = document.getElementById("app")!;
document.documentElement.lang = strings.lang;
start();

function start(): void {
  const place = readPlace(location.search);
  if (!place) return refuse("missing-conversation", undefined);
  const title = readTitle(location.search, place);
  if (SANDBOXED) return refuse("sandboxed", title);
  const tokens = new TokenSource(place);
  if (tokens.missing) {
    // A token that is added to the address later changes only the fragment, which loads no new page.
    window.addEventListener("hashchange", start, { once: true });
    return refuse("missing-token", title);
  }

  const history = historySource(place, tokens.host);
  const conversation = new Conversation({ url: GATEWAY_URL, ...place, getToken: tokens.get, ...(history && { history }) });
  tokens.serves(conversation);
  conversation.on("error", ({ message, cause }) => {
    // What else may fail about a token, the host has heard of already.
    if (cause instanceof UnusableToken) console.error(`agent-gateway: ${cause.message}`);
    else if (message === "history failed") console.error(`agent-gateway: ${message}: ${cause}`);
  });
  const { host } = tokens;
  conversation.on("state", (state) => host?.tell({ type: "agent-gateway:state", state }));
  conversation.on("message", (message, origin, news) => {
    if (news) host?.tell({ type: "agent-gateway:message", message, origin });
  });
  conversation.on("messages", (messages, origin, news) => {
    for (const message of messages.slice(messages.length - news)) host?.tell({ type: "agent-gateway:message", message, origin });
  });
  conversation.connect();
  const view = new ConversationView(conversation);
  render(
    <TextsProvider value={texts}>
      <App conversation={conversation} view={view} title={title} />
    </TextsProvider>,
    root,
  );
}

/** Shows what is wrong with the link, instead of a conversation that would look empty. */
function refuse(why: Blocker, title: string | undefined): void {
  document.title = title ?? strings.conversation;
  render(
    <TextsProvider value={texts}>
      <main class="page">
        <Header title={title} agent={undefined} state="stopped" />
        <StoppedPanel why={why} />
      </main>
    </TextsProvider>,
    root,
  );
}
