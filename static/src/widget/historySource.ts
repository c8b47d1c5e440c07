import { fetchHistory, type Place } from "../client/fetchHistory";
import type { GetHistory } from "../client/History";
import type { HostChannel } from "../embed/HostChannel";

/** Where the page's history comes from: the host, if it has one, else the service that the gateway is configured with. */
export function historySource(place: Place, host: HostChannel | undefined): GetHistory | undefined {
  const template = document.querySelector<HTMLMetaElement>('meta[name="agent-gateway:history"]')?.content;
  const service = template ? fetchHistory(template, place) : undefined;
  const offered = new URLSearchParams(location.search).get("history") === "host";
  if (!host || !offered) return service;
  return async (request) => (await host.history(request)) ?? service?.(request);
}
