/** A button that asks again in its own place: the second press within five seconds does it. */
import type { ComponentChildren } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"

interface Props {
  readonly children: ComponentChildren
  /** What the button says before the second press, such as `Really close?`. */
  readonly again: string
  readonly run: () => Promise<unknown>
  readonly tone?: "plain" | "primary" | "danger"
  readonly disabled?: boolean
}

const patienceMillis = 5_000

export const Confirm = ({ again, children, disabled = false, run, tone = "plain" }: Props) => {
  const [phase, setPhase] = useState<"ready" | "asking" | "running">("ready")
  const isHere = useRef(true)
  useEffect(() => {
    isHere.current = true
    return () => {
      isHere.current = false
    }
  }, [])
  useEffect(() => {
    if (phase !== "asking") return
    const timer = setTimeout(() => setPhase("ready"), patienceMillis)
    return () => clearTimeout(timer)
  }, [phase])

  const press = async () => {
    if (phase === "ready") return setPhase("asking")
    setPhase("running")
    try {
      await run()
    } finally {
      if (isHere.current) setPhase("ready")
    }
  }
  return (
    <>
      <button
        type="button"
        class={`button ${tone}${phase === "asking" ? " armed" : ""}`}
        disabled={disabled || phase === "running"}
        onClick={() => void press()}
        onBlur={() => phase === "asking" && setPhase("ready")}
        onKeyDown={(event) => event.key === "Escape" && setPhase("ready")}
      >
        <span class={phase === "ready" ? "" : "ghost"}>{children}</span>
        <span class={phase === "ready" ? "ghost" : ""}>
          {phase === "asking" ? again : phase === "running" ? "…" : ""}
        </span>
      </button>
      {/* Beside the button: text inside of it is its name, and is not announced. */}
      <span class="hidden-text" role="status">
        {phase === "asking" ? `${again} Press again.` : ""}
      </span>
    </>
  )
}
