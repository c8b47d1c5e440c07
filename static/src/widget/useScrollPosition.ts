import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { MessageWindow } from "./useMessageWindow";

/** Within this many pixels of the end the agent is taken to be at it. */
const NEAR_END_PX = 40;

/** A message in view, and how far below the top edge it stands. */
interface Anchor {
  readonly element: Element;
  readonly top: number;
}

/**
 * Keeps the scroll position of the log: at the end while the agent follows, and otherwise on the message in view,
 * whatever is added above or below it and however late its image loads.
 */
export function useScrollPosition(log: RefObject<HTMLElement | null>, view: MessageWindow): void {
  const latest = useRef(view);
  const anchor = useRef<Anchor | undefined>(undefined);
  const lastTop = useRef(0);
  latest.current = view;

  const hold = useRef(() => {
    const element = log.current;
    if (!element) return;
    if (latest.current.following) {
      element.scrollTop = element.scrollHeight;
    } else if (anchor.current?.element.isConnected) {
      element.scrollTop += distance(element, anchor.current.element) - anchor.current.top;
    }
    lastTop.current = element.scrollTop;
  }).current;

  useLayoutEffect(hold);

  useEffect(() => {
    const element = log.current;
    if (!element) return;
    const onScroll = () => {
      const { following, hasNewer, follow, leave } = latest.current;
      const below = element.scrollHeight - element.clientHeight - element.scrollTop;
      const up = element.scrollTop < lastTop.current;
      lastTop.current = element.scrollTop;
      anchor.current = firstInView(element);
      if (!following && !hasNewer && below <= NEAR_END_PX) follow();
      // Content that grew puts the end out of reach too; only a move upwards is the agent's wish to leave it.
      else if (following && up && below > NEAR_END_PX) leave();
    };
    const observer = new ResizeObserver(hold);
    observer.observe(element);
    if (element.firstElementChild) observer.observe(element.firstElementChild);
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, []);
}

function firstInView(log: HTMLElement): Anchor | undefined {
  const messages = log.querySelectorAll("[data-message-id]");
  let low = 0;
  let high = messages.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const bottom = messages[middle]?.getBoundingClientRect().bottom ?? 0;
    if (bottom > log.getBoundingClientRect().top) high = middle;
    else low = middle + 1;
  }
  const element = messages[low];
  return element && { element, top: distance(log, element) };
}

function distance(log: HTMLElement, element: Element): number {
  return element.getBoundingClientRect().top - log.getBoundingClientRect().top;
}
