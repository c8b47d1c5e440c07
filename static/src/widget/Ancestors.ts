/** `scheme://`, `*.`, host and `:port` of a source such as `https://*.example.com:8443`; all but the host may be missing. */
const HOST_SOURCE = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(\*\.)?([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d+|\*))?$/i;

/** A source that is a scheme alone, such as `https:`. */
const SCHEME_SOURCE = /^([a-z][a-z0-9+.-]*):$/i;

const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ["http:", "80"],
  ["https:", "443"],
]);

/**
 * The pages that may frame this one, as a source list of a content security policy (CSP 3, 6.7.2). The browser has
 * compared all ancestors with it already; this says it of the one that hands over a token. What is not understood
 * matches nothing.
 */
export class Ancestors {
  readonly #sources: readonly string[];
  readonly #self: URL;

  /** `self` is this page's own origin. */
  constructor(list: string, self: string) {
    this.#sources = list.trim().split(/\s+/);
    this.#self = new URL(self);
  }

  /** Whether a message from this origin comes from an allowed ancestor. */
  allow(origin: string): boolean {
    // An opaque origin is "null", and no list can name it.
    if (!URL.canParse(origin)) return false;
    const url = new URL(origin);
    if (url.origin !== origin || !DEFAULT_PORTS.has(url.protocol)) return false;
    return this.#sources.some((source) => this.#matches(source.toLowerCase(), url));
  }

  #matches(source: string, url: URL): boolean {
    if (source === "*") return true;
    if (source === "'self'") return this.#isSelf(url);
    const scheme = SCHEME_SOURCE.exec(source)?.[1];
    if (scheme !== undefined) return isScheme(url, `${scheme}:`);
    const host = HOST_SOURCE.exec(source);
    return host !== null && this.#isHost(host, url);
  }

  /** The same page over TLS is no other page. */
  #isSelf(url: URL): boolean {
    const self = this.#self;
    if (url.origin === self.origin) return true;
    const bothDefault = url.port === "" && self.port === "";
    return url.hostname === self.hostname && isScheme(url, self.protocol) && (bothDefault || url.port === self.port);
  }

  #isHost([, scheme, wildcard, host = "", port]: RegExpExecArray, url: URL): boolean {
    const protocol = scheme === undefined ? this.#self.protocol : `${scheme}:`;
    const hostMatches = wildcard ? url.hostname.endsWith(`.${host}`) : url.hostname === host;
    return hostMatches && isScheme(url, protocol) && isPort(url, port);
  }
}

/** http allows https as well, and nothing else allows anything but itself. */
function isScheme(url: URL, protocol: string): boolean {
  return url.protocol === protocol || (protocol === "http:" && url.protocol === "https:");
}

/** No port in a source is the default one of the page's scheme. */
function isPort(url: URL, port: string | undefined): boolean {
  const standard = DEFAULT_PORTS.get(url.protocol);
  const own = url.port || standard;
  if (port === "*") return true;
  if (port === undefined) return own === standard;
  return own === port || (port === "80" && own === "443" && url.protocol === "https:");
}
