import { ActionButton } from "./ActionButton";
import type { Agent } from "./api";
import { HourglassIcon, KeyIcon, LockIcon } from "./icons";
import type { Playground } from "./Playground";

interface SignInCardProps {
  playground: Playground;
  agents: readonly Agent[];
}

/** What becomes of tokens. */
export function SignInCard({ playground, agents }: SignInCardProps) {
  return (
    <div class="actions rows">
      <h3>The token</h3>
      <ActionButton
        name="shorten"
        icon={<HourglassIcon />}
        title="Let the token expire"
        look="A token for a minute. Seconds later the log shows getToken (refresh), and the widget stays live."
        onPress={() => playground.shorten(agents)}
      />
      <ActionButton
        name="end-session"
        icon={<LockIcon />}
        title="Expire without refresh"
        look="A token for seconds, and getToken refuses. In ten seconds the widget stops and says what to do."
        onPress={() => playground.endSession(agents)}
      />
      <ActionButton
        name="sign-in"
        icon={<KeyIcon />}
        title="Sign in again"
        look="The widget starts anew with a good token, and the conversation is back."
        onPress={() => playground.signIn(agents)}
      />
    </div>
  );
}
