/** Marks a tag that a widget was made of, for all copies of this script in the page. */
const TAKEN = Symbol.for("agent-gateway:taken");

declare global {
  interface HTMLScriptElement {
    [TAKEN]?: true;
  }
}

/**
 * Calls `run` with each tag of this script: a classic one's is known while it runs. A module knows neither its tag nor,
 * in a file that is a classic script as well, its address; and it runs once for all tags that have the same one. But
 * each of them, those that are added later, too, is reported as loaded just after the module has run.
 */
export function eachOwnTag(run: (tag: HTMLScriptElement) => void): void {
  const { currentScript } = document;
  if (currentScript instanceof HTMLScriptElement) return run(currentScript);
  const whenLoaded = ({ target }: Event): void => {
    if (!(target instanceof HTMLScriptElement) || !isModuleOfOurs(target) || target[TAKEN]) return;
    // Another gateway's copy listens as well.
    target[TAKEN] = true;
    run(target);
  };
  // The event does not bubble.
  document.addEventListener("load", whenLoaded, { capture: true });
}

/** By the name that the file has in the gateway: it is all that a module's tags have in common. */
function isModuleOfOurs({ type, src }: HTMLScriptElement): boolean {
  return type === "module" && src !== "" && new URL(src).pathname.endsWith("/embed.js");
}
