import { useEffect, useState } from "preact/hooks";

/** Something that can be listened to. */
interface Store {
  subscribe(listener: () => void): () => void;
}

/** What `read` answers, anew whenever the store has changed. It must answer the same thing for the same state. */
export function useStore<Value>(store: Store, read: () => Value): Value {
  const [value, setValue] = useState(read);
  useEffect(() => {
    const update = () => setValue(() => read());
    update();
    return store.subscribe(update);
  }, [store]);
  return value;
}
