import { useEffect, useRef, useState } from "preact/hooks";
import type { Conversation } from "../client";
import { Banner } from "./Banner";
import type { ConversationView } from "./ConversationView";
import { Header } from "./Header";
import { CloseIcon } from "./icons";
import { MessageList } from "./MessageList";
import { Placeholder } from "./Placeholder";
import { StoppedPanel } from "./StoppedPanel";
import { useTexts } from "./Texts";
import { useKeptFocus } from "./useKeptFocus";
import { useSound } from "./useSound";
import { useUnreadTitle } from "./useUnreadTitle";

interface AppProps {
  conversation: Conversation;
  view: ConversationView;
  /** What the conversation is called. */
  title: string;
}

/** The page of a conversation. */
export function App({ conversation, view, title }: AppProps) {
  const { strings } = useTexts();
  const [{ state, agent, messages, gap, broken }, setSnapshot] = useState(view.snapshot);
  useEffect(() => {
    // Effects run after a frame has been drawn, which takes a while where the page is out of sight.
    setSnapshot(view.snapshot);
    return view.subscribe(setSnapshot);
  }, [view]);
  useUnreadTitle(conversation, title, strings);
  const sound = useSound(conversation);
  const page = useRef<HTMLElement>(null);
  useKeptFocus(page);
  const retry = () => conversation.retryNow();
  const blocker = state.name === "stopped" && state.why !== "closed" ? state.why : undefined;

  return (
    <main class="page" ref={page} tabIndex={-1}>
      <Header title={title} agent={agent && (agent.name ?? agent.id)} state={state.name} sound={blocker ? undefined : sound} />
      <Banner state={state} broken={broken} onRetry={retry} />
      {gap && (
        <div class="notice" role="status" data-testid="reset-notice">
          <p>{strings.gap}</p>
          <button type="button" aria-label={strings.dismiss} onClick={() => view.dismissGap()}>
            <CloseIcon />
          </button>
        </div>
      )}
      {messages.length > 0 && <MessageList messages={messages} busy={state.name === "catching-up"} />}
      {messages.length === 0 && !blocker && <Placeholder state={state} broken={broken} />}
      {blocker && <StoppedPanel why={blocker} onRetry={retry} />}
    </main>
  );
}
