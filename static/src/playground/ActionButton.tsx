import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

interface ActionButtonProps {
  /** Names the button to tests. */
  name: string;
  icon: ComponentChildren;
  title: string;
  /** What to look for when it is pressed. */
  look: string;
  disabled?: boolean;
  /** Takes a whole line among others that share one. */
  wide?: boolean;
  onPress: () => Promise<void> | void;
}

/** A button that says what to look for. */
export function ActionButton({ name, icon, title, look, disabled = false, wide = false, onPress }: ActionButtonProps) {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    if (busy || disabled) return;
    setBusy(true);
    try {
      await onPress();
    } finally {
      setBusy(false);
    }
  };
  // Not `disabled`, which would throw the keyboard's place away.
  return (
    <button
      type="button"
      class={wide ? "action wide" : "action"}
      data-testid={name}
      aria-disabled={disabled}
      aria-busy={busy}
      onClick={() => void press()}
    >
      <span class="action-icon">{icon}</span>
      <span class="action-words">
        <span class="action-title">{title}</span>
        <span class="action-look">{look}</span>
      </span>
    </button>
  );
}
