/**
 * Shows the mirror at the customer's size, smaller only where the window is, with what is drawn over it.
 */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Countdown } from "./countdown.tsx";
import { CustomerPointer } from "./icons.tsx";
import { Overlay } from "./mirror/overlay.ts";
import { before, scaleToFit } from "./scale.ts";
import type { SessionModel } from "./session-model.ts";
import { words } from "./words.ts";

/** The page is never smaller than this; then the stage scrolls. */
const LEAST_SCALE = 0.3;
/** Until the customer's size is known. */
const FIRST_SIZE = { width: 1024, height: 640 };
/** A page that is being left and the next one look like an absence at first, in milliseconds. */
const LOADING = 4000;

export function Stage({ model }: { model: SessionModel }) {
  const stage = useRef<HTMLElement>(null);
  const frame = useRef<HTMLIFrameElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const pointer = useRef<HTMLDivElement>(null);
  const overlay = useRef<Overlay | null>(null);
  const space = useSignal({ x: 0, y: 0, width: 0, height: 0 });

  useEffect(() => {
    const [area, page, over, hand] = [stage.current, frame.current, layer.current, pointer.current];
    if (!area || !page || !over || !hand) return;
    const drawn = new Overlay(over, hand);
    overlay.current = drawn;
    const scroll = (event: WheelEvent) => area.scrollBy({ left: event.deltaX, top: event.deltaY });
    page.addEventListener("load", () => model.start(page, drawn, scroll), { once: true });
    page.src = "/mirror";
    const observer = new ResizeObserver(() => {
      const style = getComputedStyle(area);
      const box = area.getBoundingClientRect();
      const [left, top] = [Number.parseFloat(style.paddingLeft), Number.parseFloat(style.paddingTop)];
      space.value = {
        x: box.x + left,
        y: box.y + top,
        width: area.clientWidth - left * 2,
        height: area.clientHeight - top * 2,
      };
    });
    observer.observe(area);
    return () => observer.disconnect();
  }, [model]);

  const size = model.viewport.value ?? FIRST_SIZE;
  const scale = scaleToFit(size, space.value, LEAST_SCALE);
  const [width, height] = [size.width * scale, size.height * scale];
  const above = before(space.value.y, space.value.height, height, devicePixelRatio);
  const beside = before(space.value.x, space.value.width, width, devicePixelRatio);
  useEffect(() => {
    if (overlay.current) overlay.current.scale = scale;
  }, [scale]);

  const write = model.status.value?.mode === "write";
  return (
    // What is drawn over the page is placed from its left, whatever direction the console has.
    <main class="stage" ref={stage} dir="ltr">
      <div
        class="page"
        style={{
          width: `${width}px`,
          height: `${height}px`,
          margin: `${above}px ${beside}px`,
        }}
        data-ready={model.hasView.value}
      >
        <iframe
          ref={frame}
          title={words.page.frame}
          sandbox="allow-same-origin"
          tabIndex={write ? 0 : -1}
          style={{ width: `${size.width}px`, height: `${size.height}px`, transform: `scale(${scale})` }}
        />
        <div class="overlay" ref={layer} aria-hidden="true">
          <div class="pointer" ref={pointer} hidden>
            <CustomerPointer />
            <span dir="auto">{words.customer.pointer}</span>
          </div>
        </div>
        <Waiting model={model} />
      </div>
    </main>
  );
}

/** Says why the page is not there, or not moving. */
function Waiting({ model }: { model: SessionModel }) {
  const { page } = words;
  const link = model.link.value;
  const customer = model.status.value?.customer;
  const long = useSignal(false);
  const away = customer === "away";
  useEffect(() => {
    long.value = false;
    if (!away) return;
    const timer = setTimeout(() => {
      long.value = true;
    }, LOADING);
    return () => clearTimeout(timer);
  }, [away]);

  const left = <Countdown model={model} />;
  if (link === "lost" || link === "restarting") {
    return <Veil key={link} busy title={page[link]} more={left} />;
  }
  if (link === "connecting") return <Veil key="connecting" busy title={page.connecting} />;
  if (model.status.value?.paused) {
    return <Veil key="paused" solid title={page.paused} text={page.pausedLead} more={left} />;
  }
  const why = model.status.value?.customerAway?.why ?? "lost";
  if (away && long.value) {
    return <Veil key="away" title={page.away} text={page.awayWhy[why]} more={left} />;
  }
  if (away) return <Veil key="loading" busy title={page.loading} />;
  if (model.hasView.value && model.isPrivate.value) {
    return <Veil key="private" title={page.privateTitle} text={page.privateLead} />;
  }
  if (model.hasView.value) return null;
  if (customer === "expected") return <Veil key="expected" busy title={page.expected} />;
  return <Veil key="first" busy title={page.firstView} />;
}

type VeilProps = {
  title: string;
  text?: string;
  busy?: boolean;
  /** Nothing of the page can be seen through it. */
  solid?: boolean;
  more?: ComponentChildren;
};

function Veil({ title, text, busy, solid, more }: VeilProps) {
  return (
    <div class={solid ? "veil veil-solid" : "veil"} role="alert" dir={words.direction}>
      <div class="veil-box">
        {busy && <span class="spinner" aria-hidden="true" />}
        <strong>{title}</strong>
        {text && <p>{text}</p>}
        {more}
      </div>
    </div>
  );
}
