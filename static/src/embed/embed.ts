/**
 * The host's part of the widget, as a script without dependencies, classic or a module: puts an iframe where its tag
 * stands, and gives it tokens. It does so for each tag, so that one page can hold several widgets.
 */
import type { AgentGateway, Embedded } from "./AgentGateway";
import { readOptions, type EmbedOptions } from "./EmbedOptions";
import { eachOwnTag } from "./ownTags";
import { VERSION } from "../client/version";
import { WidgetFrame, type HostFunctions } from "./WidgetFrame";

/** The script's address under the hash of its content. */
const KEPT = /\/v1\/[0-9a-f]{16}\/embed\.js$/;

/** A host that sets its functions in a module of its own may do so later than the first widget asks for them. */
const HOST: HostFunctions = {
  getToken: () => hosts("getToken"),
  history: () => hosts("history"),
  get mayHaveHistory() {
    return window.AgentGateway?.history !== undefined || document.readyState !== "complete";
  },
};

eachOwnTag((tag) => {
  // The page is beside the script, below whatever path a proxy has the gateway; or above the folder of a script that is kept.
  const gateway = new URL(KEPT.test(tag.src) ? "../../" : ".", tag.src);
  window.AgentGateway ??= {};
  window.AgentGateway.version ??= VERSION;
  window.AgentGateway.mount ??= (element, options) => mount(gateway, options, (iframe) => element.append(iframe));
  const options = readOptions(tag.dataset);
  if (options) void place(tag, gateway, options);
});

async function place(tag: HTMLScriptElement, gateway: URL, options: EmbedOptions): Promise<void> {
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

function mount(gateway: URL, options: EmbedOptions, put: (iframe: HTMLIFrameElement) => void): Embedded {
  if (!options.tenantId || !options.conversationId) {
    throw new Error("agent-gateway: a widget needs both a tenantId and a conversationId");
  }
  const frame = new WidgetFrame(gateway, options, HOST);
  put(frame.iframe);
  return frame;
}

async function hosts<Name extends "getToken" | "history">(name: Name): Promise<AgentGateway[Name] | undefined> {
  if (!window.AgentGateway?.[name]) await loaded();
  return window.AgentGateway?.[name];
}

function parsed(): Promise<unknown> | void {
  if (document.readyState !== "loading") return;
  return new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
}

function loaded(): Promise<unknown> | void {
  if (document.readyState === "complete") return;
  return new Promise((resolve) => window.addEventListener("load", resolve, { once: true }));
}
