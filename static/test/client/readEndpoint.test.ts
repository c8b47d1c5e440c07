import { afterEach, expect, it, vi } from "vitest";
import { Conversation } from "../../src/client";
import { readEndpoint } from "../../src/client/readEndpoint";

afterEach(() => vi.unstubAllGlobals());

it.each([
  ["https://gateway.example.com", "https://gateway.example.com", "/socket.io"],
  ["https://gateway.example.com/", "https://gateway.example.com", "/socket.io"],
  ["http://127.0.0.1:3012", "http://127.0.0.1:3012", "/socket.io"],
  ["https://portal.example.com/realtime", "https://portal.example.com", "/realtime/socket.io"],
  ["https://portal.example.com/realtime/", "https://portal.example.com", "/realtime/socket.io"],
  ["https://portal.example.com/a/b//?c#d", "https://portal.example.com", "/a/b/socket.io"],
  ["wss://gateway.example.com:8443/x", "wss://gateway.example.com:8443", "/x/socket.io"],
])("finds the gateway of %s at %s, path %s", (url, origin, path) => {
  expect(readEndpoint(url)).toEqual({ origin, path });
});

it.each([
  ["/realtime", "/realtime/socket.io"],
  ["/", "/socket.io"],
  ["./realtime", "/app/realtime/socket.io"],
  ["//portal.example.com/x", "/x/socket.io"],
])("takes %s as relative to the page", (url, path) => {
  vi.stubGlobal("location", new URL("https://portal.example.com/app/page"));
  expect(readEndpoint(url)).toEqual({ origin: "https://portal.example.com", path });
});

it.each(["gateway.example.com", "localhost:3012", "ftp://gateway.example.com", "https://", "/realtime", ""])(
  "refuses %j, as soon as a conversation is made with it",
  (url) => {
    const make = () => new Conversation({ url, tenantId: "acme", conversationId: "c1", getToken: () => "token" });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(/^url must be the gateway's address.* and is "/);
  },
);
