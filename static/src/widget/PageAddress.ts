/** What the page's address says to show. */
export interface Place {
  readonly tenantId: string;
  readonly conversationId: string;
}

/** Reads `tenantId` and `conversationId`; undefined when either is missing. */
export function readPlace(search: string): Place | undefined {
  const query = new URLSearchParams(search);
  const tenantId = query.get("tenantId");
  const conversationId = query.get("conversationId");
  return tenantId && conversationId ? { tenantId, conversationId } : undefined;
}

/** Reads `token` from a fragment. Not as a form would: a plus sign in a token is a plus sign. */
export function readToken(fragment: string): string | undefined {
  const token = /^#(?:.*&)?token=([^&]+)/.exec(fragment)?.[1];
  try {
    return token && decodeURIComponent(token);
  } catch {
    return token;
  }
}

/**
 * The token that came in the fragment. It is taken out of the address, which people copy. A page of its own keeps
 * it for this tab and this conversation alone, so that a reload finds it again; a frame does not, because another
 * agent's frame in the same tab would find it, too.
 */
export class FragmentToken {
  readonly #key: string;
  readonly #kept: boolean;
  #token: string | undefined;

  constructor({ tenantId, conversationId }: Place, framed: boolean) {
    this.#kept = !framed;
    this.#key = `agent-gateway:token:${JSON.stringify([tenantId, conversationId])}`;
    if (this.#kept) this.#token = inStorage((storage) => storage.getItem(this.#key)) ?? undefined;
    this.take();
  }

  get value(): string | undefined {
    return this.#token;
  }

  /** Takes a token from the address, if there is one; answers whether there was. */
  take(): boolean {
    const token = readToken(location.hash);
    if (token === undefined) return false;
    history.replaceState(history.state, "", location.pathname + location.search);
    this.#token = token;
    if (this.#kept) inStorage((storage) => storage.setItem(this.#key, token));
    return true;
  }
}

/** A browser may refuse storage; then a reload needs a new link, and everything else works. */
function inStorage<Result>(run: (storage: Storage) => Result): Result | undefined {
  try {
    return run(sessionStorage);
  } catch {
    return undefined;
  }
}
