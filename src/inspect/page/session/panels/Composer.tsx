/** Says the next thing to a session's agent. Enter sends, Shift and Enter begin a new line. */
import { useState } from "preact/hooks"
import type { Done } from "../../../contract.ts"
import { say, sayProblem } from "../../store.ts"
import { Confirm } from "../../ui/Confirm.tsx"
import type { SessionApi, Store } from "../store.ts"

interface Props {
  readonly store: Store
  readonly api: SessionApi
}

export const Composer = ({ api, store }: Props) => {
  const [isBusy, setBusy] = useState(false)
  const text = store.draft.value
  const session = store.detail.value?.session
  const isTurning = session?.state === "turning"
  const canSteer = session?.substate === "turning.running" && session.can.steer

  const act = async (what: () => Promise<Done>): Promise<boolean> => {
    setBusy(true)
    try {
      say((await what()).note)
      store.goLive()
      return true
    } catch (cause) {
      sayProblem(cause)
      return false
    } finally {
      setBusy(false)
    }
  }
  const steer = async () => {
    if (await act(() => api.steer(text))) clear(text)
  }
  /** What was typed meanwhile stays. */
  const clear = (sent: string) => {
    if (store.draft.peek() === sent) store.draft.value = ""
  }

  const send = async () => {
    if (isBusy || text.trim() === "") return
    setBusy(true)
    try {
      await api.submit(text)
      clear(text)
      store.goLive()
    } catch (cause) {
      sayProblem(cause)
    }
    setBusy(false)
  }
  return (
    <form
      class="composer"
      aria-label="Next turn"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <textarea
        class="field"
        rows={Math.min(6, text.split("\n").length)}
        aria-label="Prompt"
        placeholder={isTurning ? "Waits for the end of this turn" : "Say something to the agent"}
        value={text}
        onInput={({ currentTarget }) => (store.draft.value = currentTarget.value)}
        onKeyDown={(event) => {
          // Enter that ends the composition of a character is no sending.
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
          event.preventDefault()
          void send()
        }}
      />
      <button type="submit" class="button primary" disabled={isBusy || text.trim() === ""}>
        {isTurning ? "Send next" : "Send"}
      </button>
      {canSteer ? (
        <button
          type="button"
          class="button"
          title="The agent gets it in the turn that runs"
          disabled={isBusy || text.trim() === ""}
          onClick={() => void steer()}
        >
          Add to this turn
        </button>
      ) : null}
      {isTurning || session === undefined || session.turns === 0 ? null : session.can.compact ? (
        <Confirm again="A turn, really?" disabled={isBusy} run={() => act(api.compact)}>
          Compact
        </Confirm>
      ) : (
        <CannotCompact agent={session.agent} />
      )}
    </form>
  )
}

/** It can be pressed, and says why it does nothing: who can't hover over it has no other way to know. */
const CannotCompact = ({ agent }: { readonly agent: string }) => {
  const why = `${agent} can't be asked to compact its context. It does so by itself, if at all.`
  return (
    <button type="button" class="button" aria-disabled="true" title={why} onClick={() => say(why, "bad")}>
      Compact
    </button>
  )
}
