import { PersonIcon, SoundIcon, SoundOffIcon } from "./icons";
import { useTexts } from "./Texts";
import type { Strings } from "./strings/Strings";
import type { Sound } from "./useSound";

interface HeaderProps {
  /** What the conversation is called; missing when the link is incomplete. */
  title: string | undefined;
  agent: string | undefined;
  state: keyof Strings["states"];
  /** Whether new messages are heard; missing where none can come. */
  sound?: Sound | undefined;
}

/** Which conversation this is, who reads it, and how the connection is doing. */
export function Header({ title, agent, state, sound }: HeaderProps) {
  const { strings } = useTexts();
  return (
    <header class="header">
      <span class="avatar">
        <PersonIcon />
      </span>
      <div class="header-names">
        <h1 title={title}>
          <bdi>{title ?? strings.conversation}</bdi>
        </h1>
        {agent !== undefined && (
          <p title={strings.readingAs(agent)}>
            <bdi>{strings.readingAs(agent)}</bdi>
          </p>
        )}
      </div>
      <p class="state" data-testid="state" data-state={state} title={strings.states[state]}>
        <span class="dot" aria-hidden="true" />
        <span class="state-name">{strings.states[state]}</span>
      </p>
      {sound && (
        <button
          type="button"
          class="sound"
          data-testid="sound"
          data-waits={sound.waits}
          aria-pressed={sound.on}
          aria-label={strings.sound}
          aria-describedby={sound.waits ? "sound-waits" : undefined}
          title={sound.waits ? strings.soundWaits : strings.sound}
          onClick={sound.toggle}
        >
          {sound.on ? <SoundIcon /> : <SoundOffIcon />}
        </button>
      )}
      {sound?.waits && (
        <p class="sound-waits" id="sound-waits" role="status" data-testid="sound-waits">
          {strings.soundWaits}
        </p>
      )}
    </header>
  );
}
