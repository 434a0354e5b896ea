/**
 * The console's pictures. Decoration only: what they stand beside or on carries the name.
 */

import type { ComponentChildren } from "preact";
import { words } from "./words.ts";

type IconProps = {
  children: ComponentChildren;
  size?: number /** Points along the line of text. */;
  along?: boolean;
};

function Icon({ children, size = 18, along = false }: IconProps) {
  return (
    <svg
      class={along ? "icon along" : "icon"}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export function Brand() {
  return (
    <div class="brand">
      <Mark />
      <span>{words.product}</span>
    </div>
  );
}

export function Mark() {
  return (
    <svg class="mark" width="28" height="28" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <circle cx="12" cy="16" r="5.5" />
      <circle cx="20" cy="16" r="5.5" />
    </svg>
  );
}

export const FullScreenIcon = () => (
  <Icon>
    <path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" />
  </Icon>
);

export const BackIcon = () => (
  <Icon along>
    <path d="M19 12H5m6-6-6 6 6 6" />
  </Icon>
);

export const ForwardIcon = () => (
  <Icon along>
    <path d="M5 12h14m-6-6 6 6-6 6" />
  </Icon>
);

export const RefreshIcon = () => (
  <Icon>
    <path d="M20 12a8 8 0 1 1-2.4-5.7L20 8.5M20 4v4.5h-4.5" />
  </Icon>
);

export const PointerIcon = () => (
  <Icon size={16}>
    <path d="m5 4 5.5 15 2.3-6.2L19 10.500z" />
  </Icon>
);

export const PenIcon = () => (
  <Icon size={16}>
    <path d="M4 20l1-4.500L16.500 4a2.100 2.100 0 0 1 3 3L8 18.500z" />
  </Icon>
);

/** The customer's pointer on the page. */
export const CustomerPointer = () => (
  <svg width="22" height="24" viewBox="0 0 22 24" aria-hidden="true">
    <path d="M2 1.500 18.500 13l-7.200 1.200L7.700 21z" />
  </svg>
);
