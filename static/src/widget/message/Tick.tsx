import type { DeliveryStatus } from "../../client";
import { CheckIcon, DoubleCheckIcon, WarningIcon } from "../icons";
import { useTexts } from "../Texts";

const ICONS = { sent: CheckIcon, delivered: DoubleCheckIcon, read: DoubleCheckIcon, failed: WarningIcon };

/** How far a message has come. */
export function Tick({ status }: { status: DeliveryStatus }) {
  const label = useTexts().strings.statuses[status];
  const StatusIcon = ICONS[status];
  return (
    <span class="tick" data-testid="tick" data-status={status} role="img" aria-label={label} title={label}>
      <StatusIcon />
    </span>
  );
}
