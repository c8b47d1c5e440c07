import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import type { Conversation } from "../client";
import { useChanges } from "../look/useChanges";
import { Banner } from "./Banner";
import type { ConversationView } from "./ConversationView";
import { Header } from "./Header";
import { MessageList } from "./log/MessageList";
import type { Unread } from "./log/Unread";
import type { Look, LookNow } from "./Look";
import { Placeholder, Skeleton } from "./Placeholder";
import { StoppedPanel } from "./StoppedPanel";
import type { Blocker } from "./strings/Strings";
import { TextsProvider, type Texts } from "./Texts";
import { useKeptFocus } from "./useKeptFocus";
import { useSound } from "./useSound";
import { useUnreadTitle } from "./useUnreadTitle";

interface AppProps {
  conversation: Conversation;
  view: ConversationView;
  unread: Unread;
  look: Look;
  /** What the conversation is called where nobody has a better name: its id. */
  name: string;
}

/** The page of a conversation. */
export function App({ conversation, view, unread, look, name }: AppProps) {
  useChanges(view);
  useChanges(look);
  const snapshot = view.now;
  const { state, agent, messages, broken, history, context, fresh } = snapshot;
  const { now } = look;
  const title = now?.title ?? context.title ?? name;
  useUnreadTitle(unread, title, now?.strings);
  const sound = useSound(conversation);
  const page = useRef<HTMLElement>(null);
  useKeptFocus(page);
  const retry = () => conversation.retryNow();
  const older = useCallback(() => conversation.loadOlder(), [conversation]);
  const blocker = state.name === "stopped" && state.why !== "closed" ? state.why : undefined;
  if (!now) return <Skeleton />;

  return (
    <Texted look={now} customer={context.customer ?? now.title}>
      <main class="page" ref={page} tabIndex={-1} aria-label={title}>
        {now.header && (
          <Header
            title={title}
            agent={agent && (agent.name ?? agent.id)}
            state={state.name}
            sound={blocker ? undefined : sound}
          />
        )}
        <Banner state={state} broken={broken} onRetry={retry} />
        {messages.length > 0 && <MessageList snapshot={snapshot} unread={unread} onOlder={older} />}
        {messages.length === 0 && !blocker && (
          <Placeholder state={state} broken={broken} history={history} fresh={fresh} onRetry={older} />
        )}
        {blocker && <StoppedPanel why={blocker} onRetry={retry} />}
      </main>
    </Texted>
  );
}

/** The page of a link that leads to no conversation. */
export function Refusal({ why, look, name }: { why: Blocker; look: Look; name: string | undefined }) {
  useChanges(look);
  const { now } = look;
  const title = now && (name === undefined ? undefined : (now.title ?? name));
  useEffect(() => {
    if (now) document.title = title ?? now.strings.conversation;
  }, [now, title]);
  if (!now) return <Skeleton />;
  return (
    <Texted look={now} customer={undefined}>
      <main class="page" aria-label={title ?? now.strings.conversation}>
        {now.header && <Header title={title} agent={undefined} state="stopped" />}
        <StoppedPanel why={why} />
      </main>
    </Texted>
  );
}

function Texted({
  look,
  customer,
  children,
}: {
  look: LookNow;
  customer: string | undefined;
  children: ComponentChildren;
}) {
  const { strings, formats } = look;
  const texts = useMemo<Texts>(() => ({ strings, formats, customer }), [strings, formats, customer]);
  return <TextsProvider value={texts}>{children}</TextsProvider>;
}
