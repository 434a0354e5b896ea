/**
 * The button that gives the customer's page the whole screen, where the browser can.
 */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { FullScreenIcon } from "./icons.tsx";
import { words } from "./words.ts";

export function FullScreenButton() {
  const full = useSignal(document.fullscreenElement !== null);
  useEffect(() => {
    const changed = () => {
      full.value = document.fullscreenElement !== null;
    };
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, []);
  if (!document.fullscreenEnabled) return null;
  const name = full.value ? words.bar.leaveFullScreen : words.bar.fullScreen;
  const toggle = async () => {
    try {
      await (full.value ? document.exitFullscreen() : document.documentElement.requestFullscreen());
    } catch {
      // The browser did not want to: nothing is lost.
    }
  };
  return (
    <button
      type="button"
      class="button square"
      aria-label={name}
      title={name}
      aria-pressed={full.value}
      onClick={toggle}
    >
      <FullScreenIcon />
    </button>
  );
}
