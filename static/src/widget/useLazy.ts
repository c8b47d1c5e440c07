import { useEffect, useState } from "preact/hooks";

/** What is not part of the page's first load, once it is wanted and there; undefined until then. `load` is the same function each time. */
export function useLazy<Part>(wanted: boolean, load: () => Promise<Part>): Part | undefined {
  const [part, setPart] = useState<Part>();
  useEffect(() => {
    // It may be gone where the gateway is another by now: then nothing opens, and the page says why.
    if (wanted && part === undefined) load().then((loaded) => setPart(() => loaded), reportError);
  }, [wanted, part, load]);
  return part;
}
