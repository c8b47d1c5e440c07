import { useRef } from "preact/hooks";

interface ComposerProps {
  /** Names the field and its button to tests. */
  name: string;
  label: string;
  placeholder: string;
  onSend: (text: string) => Promise<void>;
}

/** A field for a text, and its button. */
export function Composer({ name, label, placeholder, onSend }: ComposerProps) {
  const field = useRef<HTMLInputElement>(null);
  const send = (event: Event) => {
    event.preventDefault();
    const text = field.current?.value.trim();
    if (!text) return field.current?.focus();
    field.current!.value = "";
    void onSend(text);
  };
  return (
    <form class="composer" onSubmit={send}>
      <input
        ref={field}
        data-testid={`${name}-text`}
        aria-label={label}
        placeholder={placeholder}
        maxLength={4096}
        autoComplete="off"
        dir="auto"
      />
      <button type="submit" class="primary" data-testid={`${name}-send`}>
        Send
      </button>
    </form>
  );
}
