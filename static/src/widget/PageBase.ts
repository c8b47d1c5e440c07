/** The gateway's address as the page's own says it: without `/widget`, and with the prefix that a proxy may have it under. */
export const GATEWAY_URL = new URL(".", location.href).href.replace(/\/$/, "");

/**
 * Whether the frame's sandbox leaves the page no origin: then it may neither store anything nor talk to its own
 * gateway, and no host can address a token to it.
 */
export const SANDBOXED = window.origin === "null";
