/** Where a gateway's Socket.IO server is. */
export interface Endpoint {
  readonly origin: string;
  /** The path of its requests, with the prefix under which a proxy has the gateway. */
  readonly path: string;
}

const SCHEMES: readonly string[] = ["http:", "https:", "ws:", "wss:"];

/**
 * Reads a gateway's address, such as `https://gateway.example.com` or, below a path prefix,
 * `https://portal.example.com/realtime`. In a page it may be relative to it: `/realtime`. Socket.IO's own reading would
 * take the path for a namespace.
 *
 * @throws {TypeError} when it is no such address
 */
export function readEndpoint(url: string): Endpoint {
  const page = /^(?:[./]|$)/.test(url) ? globalThis.location?.href : undefined;
  if (!URL.canParse(url, page)) throw new TypeError(complaint(url));
  const { protocol, origin, pathname } = new URL(url, page);
  if (!SCHEMES.includes(protocol)) throw new TypeError(complaint(url));
  return { origin, path: `${pathname.replace(/\/+$/, "")}/socket.io` };
}

function complaint(url: string): string {
  return `url must be the gateway's address, such as https://gateway.example.com or https://portal.example.com/realtime, and is "${url}"`;
}
