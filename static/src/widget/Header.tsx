import { PersonIcon } from "./icons";
import { useTexts } from "./Texts";
import type { Strings } from "./strings";

interface HeaderProps {
  /** The conversation's id; missing when the link is incomplete. */
  title: string | undefined;
  agent: string | undefined;
  state: keyof Strings["states"];
}

/** Which conversation this is, who reads it, and how the connection is doing. */
export function Header({ title, agent, state }: HeaderProps) {
  const { strings } = useTexts();
  return (
    <header class="header">
      <span class="avatar">
        <PersonIcon />
      </span>
      <div class="header-names">
        <h1 dir="auto" title={title}>
          {title ?? strings.conversation}
        </h1>
        {agent !== undefined && <p title={strings.agent(agent)}>{strings.agent(agent)}</p>}
      </div>
      <p class="state" data-testid="state" data-state={state}>
        <span class="dot" aria-hidden="true" />
        {strings.states[state]}
      </p>
    </header>
  );
}
