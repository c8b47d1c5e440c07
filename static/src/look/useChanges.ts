import { useLayoutEffect, useReducer } from "preact/hooks";

/** Something that says when it is another than it was. */
interface Changing {
  on(name: "change", listener: () => void): () => void;
}

/** Draws the component anew with each change. Not only after a frame, which takes a while where the page is out of sight. */
export function useChanges(store: Changing): void {
  const [, redraw] = useReducer((count: number, _: void) => count + 1, 0);
  useLayoutEffect(() => {
    // It may have changed since the component was drawn.
    redraw();
    return store.on("change", () => redraw());
  }, [store]);
}
