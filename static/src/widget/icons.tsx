import type { ComponentChildren } from "preact";

/** A drawing in the colour of the text around it. It says nothing to a screen reader: the words beside it do. */
function Icon({ box = "0 0 24 24", children }: { box?: string; children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox={box} aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const CheckIcon = () => (
  <Icon box="0 0 16 12">
    <path d="M2 6.5 5.5 10 14 1.5" />
  </Icon>
);

export const DoubleCheckIcon = () => (
  <Icon box="0 0 20 12">
    <path d="M1.5 6.5 5 10l8.5-8.5M9 9.2l.8.8 8.7-8.5" />
  </Icon>
);

export const WarningIcon = () => (
  <Icon>
    <path d="M12 3 1.8 20.5h20.4L12 3zM12 10v5M12 17.6v.2" />
  </Icon>
);

export const DownIcon = () => (
  <Icon>
    <path d="m5 9 7 7 7-7" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="M6 6l12 12M18 6 6 18" />
  </Icon>
);

export const FileIcon = () => (
  <Icon>
    <path d="M6 2.5h8l5 5v14H6zM13.5 2.5V8H19" />
  </Icon>
);

export const PersonIcon = () => (
  <Icon>
    <path d="M12 12a4.2 4.2 0 1 0 0-8.4 4.2 4.2 0 0 0 0 8.4zM3.8 20.5c.8-4 4-6 8.2-6s7.4 2 8.2 6" />
  </Icon>
);

export const BubblesIcon = () => (
  <Icon>
    <path d="M3 4h13v9H8l-4 3v-3H3zM19 8.5h2v9h-1v3l-4-3H9.5" />
  </Icon>
);

export const LockIcon = () => (
  <Icon>
    <path d="M5 10.5h14V21H5zM8 10.5V7a4 4 0 0 1 8 0v3.5M12 14.5v2.5" />
  </Icon>
);

export const CloudOffIcon = () => (
  <Icon>
    <path d="M7 18.5a4.5 4.5 0 0 1-.6-8.9M9.5 6.2A6 6 0 0 1 18 10.1a4.2 4.2 0 0 1 2.3 7M3 3l18 18" />
  </Icon>
);

export const OpenIcon = () => (
  <Icon>
    <path d="M13 4h7v7M20 4l-9.5 9.5M18 14v6H4V6h6" />
  </Icon>
);

export const SoundIcon = () => (
  <Icon>
    <path d="M6 17v-6a6 6 0 0 1 12 0v6l1.5 2h-15zM10 21.2h4" />
  </Icon>
);

export const SoundOffIcon = () => (
  <Icon>
    <path d="M6 17v-6c0-1 .2-1.9.6-2.7M9 5.9A6 6 0 0 1 18 11v4M16 19H4.5L6 17M10 21.2h4M4 3.5l16 17" />
  </Icon>
);

export const PictureIcon = () => (
  <Icon>
    <path d="M3 5h18v14H3zM3.5 16.5l5-5 4.5 4.5 3-3 4.5 4.5M15.5 9.2v.1" />
  </Icon>
);

export const VideoIcon = () => (
  <Icon>
    <path d="M2.5 6.5h13v11h-13zM15.5 11l6-3.5v9l-6-3.5" />
  </Icon>
);

export const AudioIcon = () => (
  <Icon>
    <path d="M9 5.5a3 3 0 0 1 6 0v5.5a3 3 0 0 1-6 0zM5 11.5a7 7 0 0 0 14 0M12 18.5v3" />
  </Icon>
);

export const PinIcon = () => (
  <Icon>
    <path d="M12 21.5c-4-5-6.5-8.3-6.5-12a6.5 6.5 0 0 1 13 0c0 3.7-2.5 7-6.5 12zM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z" />
  </Icon>
);

export const ForwardIcon = () => (
  <Icon>
    <path d="M13 5l7 7-7 7M20 12H9c-3 0-5 2-5 6" />
  </Icon>
);

export const MoreIcon = () => (
  <Icon>
    <path d="M12 5.5v.1M12 12v.1M12 18.5v.1" />
  </Icon>
);

export const GoneIcon = () => (
  <Icon>
    <path d="M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.8 5.8l12.4 12.4" />
  </Icon>
);

export const TapIcon = () => (
  <Icon>
    <path d="M10 6 4 12l6 6M4 12h10c3.5 0 6 2 6 6" />
  </Icon>
);

export const CartIcon = () => (
  <Icon>
    <path d="M2.5 4H5l2.5 11h10L20 7H6M9 19.5v.1M16 19.5v.1" />
  </Icon>
);
