/**
 * The bar over the page: the customer's browser buttons and address, the mode, who is here, the way out.
 */

import { useSignal } from "@preact/signals";
import type { Me, Status } from "../protocol/words.ts";
import { FullScreenButton } from "./full-screen.tsx";
import { BackIcon, ForwardIcon, Mark, PenIcon, PointerIcon, RefreshIcon } from "./icons.tsx";
import type { SessionModel } from "./session-model.ts";
import { words } from "./words.ts";

const { bar } = words;

type Props = { model: SessionModel; me: Me; over: boolean; onLeave: () => void };

export function SessionBar({ model, me, over, onLeave }: Props) {
  const status = model.status.value;
  const write = status?.mode === "write" && !over;
  const customer = presenceOf(status);
  const watchers = status?.watchers ?? [];
  const ready = model.link.value === "open" && status?.phase !== "ended" && !over;
  // The page has one heading: over, that is what is said of it.
  const Name = over ? "span" : "h1";
  return (
    <header class="bar">
      <div class="bar-id" title={bar.copyId}>
        <Mark />
        <Name dir="ltr">{model.sessionId}</Name>
      </div>
      {!over && <Navigation model={model} enabled={write && ready} />}
      {!over && !model.watches && <ModeControl model={model} write={write} ready={ready} />}
      <div class="bar-people">
        {!over && (
          <span class={`presence presence-${customer}`} role="status" aria-label={words.customer.label}>
            {words.customer[customer]}
          </span>
        )}
        {!over && !model.watches && status?.agentSlow && (
          <span class="presence presence-slow" role="status">
            {bar.slow}
          </span>
        )}
        {!over && <Withheld model={model} />}
        {!over && <FullScreenButton />}
        <span class="agent" title={bar.agent(me.name)}>
          {me.name}
        </span>
        {!over && watchers.length > 0 && (
          <span class="quiet" title={bar.watchers(watchers)}>
            {bar.watched(watchers.length)}
          </span>
        )}
        {!over && model.watches && (
          <button type="button" class="button" onClick={onLeave}>
            {bar.leave}
          </button>
        )}
        {!over && !model.watches && (
          <button type="button" class="button danger" disabled={!ready} onClick={() => model.exit()}>
            {bar.exit}
          </button>
        )}
      </div>
    </header>
  );
}

/** What this agent may not see or use, at a glance. */
function Withheld({ model }: { model: SessionModel }) {
  if (!model.hasView.value || model.isPrivate.value) return null;
  const { private: unseen, off } = model.withheld.value;
  return (
    <>
      {unseen > 0 && (
        <span class="quiet" title={bar.unseenWhy}>
          {bar.unseen(unseen)}
        </span>
      )}
      {off > 0 && !model.watches && (
        <span class="quiet" title={bar.offWhy}>
          {bar.off(off)}
        </span>
      )}
    </>
  );
}

/** The customer in one word: what is most in the agent's way. */
function presenceOf(status: Status | null): keyof typeof words.customer & string {
  if (!status) return "expected";
  if (status.paused) return "paused";
  return status.customer === "present" && status.customerSlow ? "slow" : status.customer;
}

function ModeControl({ model, write, ready }: { model: SessionModel; write: boolean; ready: boolean }) {
  const status = model.status.value;
  return (
    <div class="bar-mode">
      <span class={`mode mode-${write ? "write" : "pointer"}`}>
        {write ? <PenIcon /> : <PointerIcon />}
        <span role="status" aria-label={bar.mode}>
          {words.mode[write ? "write" : "pointer"]}
        </span>
      </span>
      {write ? (
        <button type="button" class="button" onClick={() => model.giveBack()}>
          {bar.giveBack}
        </button>
      ) : (
        <button
          type="button"
          class="button"
          disabled={
            !ready || status?.writeRequested === true || status?.customer !== "present" || status.paused
          }
          onClick={() => model.requestWrite()}
        >
          {status?.writeRequested ? bar.writeRequested : bar.requestWrite}
        </button>
      )}
    </div>
  );
}

function Navigation({ model, enabled }: { model: SessionModel; enabled: boolean }) {
  /** What the agent has typed, or `null`: then the customer's address is shown. */
  const typed = useSignal<string | null>(null);
  if (!enabled && typed.value !== null) typed.value = null;

  const go = (event: Event) => {
    event.preventDefault();
    const url = (typed.value ?? model.location.value).trim();
    if (!enabled || url === "") return;
    model.navigate(url);
    typed.value = null;
  };

  return (
    <form class="bar-navigation" aria-label={bar.navigation} onSubmit={go}>
      <button
        type="button"
        class="button square"
        aria-label={bar.back}
        title={bar.back}
        disabled={!enabled}
        onClick={() => model.back()}
      >
        <BackIcon />
      </button>
      <button
        type="button"
        class="button square"
        aria-label={bar.forward}
        title={bar.forward}
        disabled={!enabled}
        onClick={() => model.forward()}
      >
        <ForwardIcon />
      </button>
      <button
        type="button"
        class="button square"
        aria-label={bar.refresh}
        title={bar.refresh}
        disabled={!enabled}
        onClick={() => model.refresh()}
      >
        <RefreshIcon />
      </button>
      <input
        class="address"
        dir="ltr"
        aria-label={bar.address}
        value={typed.value ?? model.location.value}
        readOnly={!enabled}
        autocomplete="off"
        spellcheck={false}
        onFocus={(event) => enabled && event.currentTarget.select()}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
        }}
        onBlur={() => {
          typed.value = null;
        }}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          typed.value = null;
          event.currentTarget.blur();
        }}
      />
    </form>
  );
}
