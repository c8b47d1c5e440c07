import type { ComponentChildren } from "preact";

/** Line drawings on a square of 24. They only repeat what stands beside them. */
function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const DiceIcon = () => (
  <Icon>
    <rect x="3.5" y="3.5" width="17" height="17" rx="4" />
    <path d="M8.5 8.5v.1M15.5 8.5v.1M12 12v.1M8.5 15.5v.1M15.5 15.5v.1" stroke-width="2.6" />
  </Icon>
);

export const PictureIcon = () => (
  <Icon>
    <rect x="3" y="4.5" width="18" height="15" rx="2.5" />
    <path d="m3.5 16.5 5-5 4.5 4.5 3-3 4.5 4.5M15.5 9.2v.1" />
  </Icon>
);

export const MicrophoneIcon = () => (
  <Icon>
    <rect x="9" y="2.5" width="6" height="11.5" rx="3" />
    <path d="M5 11.5a7 7 0 0 0 14 0M12 18.5v3" />
  </Icon>
);

export const VideoIcon = () => (
  <Icon>
    <rect x="2.5" y="6" width="13" height="12" rx="2.5" />
    <path d="m15.5 11 6-3.5v9l-6-3.5" />
  </Icon>
);

export const DocumentIcon = () => (
  <Icon>
    <path d="M6 2.5h8l5 5v14H6zM13.5 2.5V8H19M9 13h6M9 17h6" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="m5 12.5 4.5 4.5L19.5 7" />
  </Icon>
);

export const DoubleCheckIcon = () => (
  <Icon>
    <path d="m2 12.5 4.5 4.5 9.5-10M11.5 16l1 1L22 7" />
  </Icon>
);

export const WarningIcon = () => (
  <Icon>
    <path d="M12 3 1.8 20.5h20.4L12 3zM12 10v5M12 17.6v.2" />
  </Icon>
);

export const PlugIcon = () => (
  <Icon>
    <path d="M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4" />
  </Icon>
);

export const CutIcon = () => (
  <Icon>
    <path d="M7 18.5a4.5 4.5 0 0 1-.6-8.9M9.5 6.2A6 6 0 0 1 18 10.1a4.2 4.2 0 0 1 2.3 7M3 3l18 18" />
  </Icon>
);

export const OvertakenIcon = () => (
  <Icon>
    <path d="m13 5 7 7-7 7M6.5 8.5 10 12l-3.5 3.5M2 12h.1" />
  </Icon>
);

export const HourglassIcon = () => (
  <Icon>
    <path d="M6 3h12M6 21h12M7.5 3c0 5 4.5 6 4.5 9s-4.5 4-4.5 9M16.5 3c0 5-4.5 6-4.5 9s4.5 4 4.5 9" />
  </Icon>
);

export const LockIcon = () => (
  <Icon>
    <path d="M5 10.5h14V21H5zM8 10.5V7a4 4 0 0 1 8 0v3.5M12 14.5v2.5" />
  </Icon>
);

export const KeyIcon = () => (
  <Icon>
    <circle cx="8" cy="15.5" r="4.5" />
    <path d="m11.5 12 9-9M16 7.5l3 3" />
  </Icon>
);

export const BubbleIcon = () => (
  <Icon>
    <path d="M3.5 4.5h17v12h-9l-4.5 4v-4h-3.5zM8 9h8M8 12.5h5" />
  </Icon>
);

export const WebhookIcon = () => (
  <Icon>
    <path d="M8 4 3 12l5 8M16 4l5 8-5 8M13.5 6l-3 12" />
  </Icon>
);
