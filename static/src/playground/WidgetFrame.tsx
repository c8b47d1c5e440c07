import { useEffect, useRef, useState } from "preact/hooks";
import { NAMES, type Agent } from "./api";
import { lifetime } from "./Host";
import type { Playground } from "./Playground";
import { useChanges } from "../look/useChanges";

interface WidgetFrameProps {
  playground: Playground;
  agent: Agent;
  /** Whether it is this one's turn where only one has room. */
  shown: boolean;
}

/** An agent's widget, put onto the page as any host page would do it. */
export function WidgetFrame({ playground, agent, shown }: WidgetFrameProps) {
  const { host, scene, diary } = playground;
  useChanges(host);
  const { mounted, expiresAt, plan } = host.sessions[agent];
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const script = document.createElement("script");
    script.src = "/embed.js";
    const { tenantId, conversationId } = scene;
    Object.assign(script.dataset, {
      tenantId,
      conversationId,
      agent,
      title: `The conversation as ${NAMES[agent]} sees it`,
    });
    script.onerror = () => diary.write("error", "/embed.js could not be loaded");
    // Embedding puts its frame where the tag stands: all of it goes when the widget is put there anew.
    place.current!.replaceChildren(script);
  }, [mounted, agent, diary, scene]);
  return (
    <figure class="widget" data-testid={`frame-${agent}`} data-shown={shown}>
      <figcaption>
        <span class="initial" data-agent={agent} aria-hidden="true">
          {NAMES[agent][0]}
        </span>
        <span class="owner">{NAMES[agent]}’s browser</span>
        <TokenLife expiresAt={expiresAt} refused={plan === "refuse"} />
      </figcaption>
      <div class="place" ref={place} />
    </figure>
  );
}

/** How long the token is good that the host has handed out last. */
function TokenLife({ expiresAt, refused }: { expiresAt: number | undefined; refused: boolean }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [expiresAt]);
  if (expiresAt === undefined) return <span class="chip">no token yet</span>;
  const seconds = Math.max(0, Math.ceil((expiresAt - now) / 1000));
  const left = seconds === 0 ? "token expired" : `token: ${lifetime(seconds)} left`;
  return (
    <span class="chip" data-state={refused || seconds === 0 ? "bad" : seconds < 90 ? "low" : "good"}>
      {left}
    </span>
  );
}
