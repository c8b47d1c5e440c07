import { ActionButton } from "./ActionButton";
import type { Agent } from "./api";
import { CutIcon, OvertakenIcon, PlugIcon } from "./icons";
import type { Playground } from "./Playground";

/** How long an agent is cut off, in seconds: long enough to see a third try being waited for. */
const CUT_SECONDS = 12;

interface ConnectionCardProps {
  playground: Playground;
  agents: readonly Agent[];
}

/** What a network does to agents. */
export function ConnectionCard({ playground, agents }: ConnectionCardProps) {
  return (
    <div class="actions rows">
      <h3>The connection</h3>
      <ActionButton
        name="drop"
        icon={<PlugIcon />}
        title="Drop the connection"
        look="A banner counts down to the next try, a second or so; then “Back online”."
        onPress={() => playground.drop(agents)}
      />
      <ActionButton
        name="cut"
        icon={<CutIcon />}
        title={`Cut off for ${CUT_SECONDS} seconds`}
        look="The waits grow: 1, 2, 5 s. Send messages meanwhile: each is there on return, once."
        onPress={() => playground.cut(agents, CUT_SECONDS)}
      />
      <ActionButton
        name="outrun"
        icon={<OvertakenIcon />}
        title="Fall behind"
        look="More messages come than are kept for replay. On return a notice says that some may be missing."
        onPress={() => playground.outrun(agents)}
      />
    </div>
  );
}
