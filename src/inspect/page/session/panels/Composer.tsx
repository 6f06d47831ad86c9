/** Says the next thing to a session's agent. Enter sends, Shift and Enter begin a new line. */
import { useState } from "preact/hooks"
import { sayProblem } from "../../store.ts"
import type { SessionApi, Store } from "../store.ts"

interface Props {
  readonly store: Store
  readonly api: SessionApi
}

export const Composer = ({ api, store }: Props) => {
  const [isBusy, setBusy] = useState(false)
  const text = store.draft.value
  const isTurning = store.detail.value?.session.state === "turning"

  const send = async () => {
    if (isBusy || text.trim() === "") return
    setBusy(true)
    try {
      await api.submit(text)
      // What was typed meanwhile stays.
      if (store.draft.peek() === text) store.draft.value = ""
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
        Send
      </button>
    </form>
  )
}
