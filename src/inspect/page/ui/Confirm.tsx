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
  const [stage, setStage] = useState<"ready" | "asking" | "running">("ready")
  const isHere = useRef(true)
  useEffect(() => {
    isHere.current = true
    return () => {
      isHere.current = false
    }
  }, [])
  useEffect(() => {
    if (stage !== "asking") return
    const timer = setTimeout(() => setStage("ready"), patienceMillis)
    return () => clearTimeout(timer)
  }, [stage])

  const press = async () => {
    if (stage === "ready") return setStage("asking")
    setStage("running")
    try {
      await run()
    } finally {
      if (isHere.current) setStage("ready")
    }
  }
  return (
    <>
      <button
        type="button"
        class={`button ${tone}${stage === "asking" ? " armed" : ""}`}
        disabled={disabled || stage === "running"}
        onClick={() => void press()}
        onBlur={() => stage === "asking" && setStage("ready")}
        onKeyDown={(event) => event.key === "Escape" && setStage("ready")}
      >
        <span class={stage === "ready" ? "" : "ghost"}>{children}</span>
        <span class={stage === "ready" ? "ghost" : ""}>
          {stage === "asking" ? again : stage === "running" ? "…" : ""}
        </span>
      </button>
      {/* Beside it: what is inside a button is its name, and no news. */}
      <span class="hidden-text" role="status">
        {stage === "asking" ? `${again} Press again.` : ""}
      </span>
    </>
  )
}
