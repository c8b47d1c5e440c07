/**
 * The host's part of the widget, as a classic script without dependencies: puts an iframe where its tag stands, and
 * gives it tokens. It runs once for each tag, so that one page can hold several widgets.
 */
import { readOptions, type Embedded, type EmbedOptions, type GetToken } from "./EmbedOptions";
import { WidgetFrame } from "./WidgetFrame";

// Both are known only while the script runs for the first time.
const tag = document.currentScript;
const gateway = tag instanceof HTMLScriptElement ? new URL(tag.src).origin : undefined;

if (tag instanceof HTMLScriptElement && gateway !== undefined) {
  window.AgentGateway ??= {};
  window.AgentGateway.mount ??= (element, options) => mount(gateway, options, (iframe) => element.append(iframe));
  const options = readOptions(tag.dataset);
  if (options) void place(tag, gateway, options);
}

async function place(tag: HTMLScriptElement, gateway: string, options: EmbedOptions): Promise<void> {
  const { target } = tag.dataset;
  if (target === undefined && tag.closest("body")) {
    mount(gateway, options, (iframe) => tag.after(iframe));
    return;
  }
  await parsed();
  const element = target === undefined ? document.body : document.querySelector(target);
  if (!element) throw new Error(`agent-gateway: data-target="${target}" is not in the page`);
  mount(gateway, options, (iframe) => element.append(iframe));
}

function mount(gateway: string, options: EmbedOptions, put: (iframe: HTMLIFrameElement) => void): Embedded {
  if (!options.tenantId || !options.conversationId) {
    throw new Error("agent-gateway: a widget needs both a tenantId and a conversationId");
  }
  const frame = new WidgetFrame(gateway, options, () => hostsGetToken(options));
  put(frame.iframe);
  return frame;
}

/** A host that sets `getToken` in a module of its own may do so later than the first widget asks for it. */
async function hostsGetToken({ getToken }: EmbedOptions): Promise<GetToken | undefined> {
  if (getToken) return getToken;
  if (!window.AgentGateway?.getToken) await loaded();
  return window.AgentGateway?.getToken;
}

function parsed(): Promise<unknown> | void {
  if (document.readyState !== "loading") return;
  return new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
}

function loaded(): Promise<unknown> | void {
  if (document.readyState === "complete") return;
  return new Promise((resolve) => window.addEventListener("load", resolve, { once: true }));
}
