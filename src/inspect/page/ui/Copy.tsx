/** Puts a text into the clipboard, and says so in its own place for a moment. */
import type { ComponentChildren } from "preact"
import { useState } from "preact/hooks"
import { say, sayProblem } from "../store.ts"

interface Props {
  readonly children: ComponentChildren
  /** Asked when it is pressed. */
  readonly text: () => string | Promise<string>
  readonly label?: string
  readonly title?: string
}

const saidMillis = 1_500

export const Copy = ({ children, label, text, title }: Props) => {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    let copied: string
    try {
      copied = await text()
    } catch (cause) {
      return void sayProblem(cause)
    }
    try {
      await navigator.clipboard.writeText(copied)
      setCopied(true)
      setTimeout(() => setCopied(false), saidMillis)
    } catch {
      say("The browser does not let the page copy", "bad", `Copy it by hand: ${copied}`)
    }
  }
  return (
    <button type="button" class="icon-button" aria-label={label} title={title} onClick={() => void copy()}>
      {isCopied ? "copied" : children}
    </button>
  )
}
