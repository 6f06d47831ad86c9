/** How the reader wants the transcript: kept by the browser. */
import { effect, signal } from "@preact/signals"

const key = "troupe.markdown"

/** A browser may keep storage from a page, and says so by throwing; an exported file has none. */
const stored = (): boolean => {
  try {
    return localStorage.getItem(key) === "on"
  } catch {
    return false
  }
}

/** Prompts, answers and thoughts are shown as Markdown. */
export const isMarkdown = signal(stored())

effect(() => {
  const isOn = isMarkdown.value
  try {
    if (isOn) localStorage.setItem(key, "on")
    else localStorage.removeItem(key)
  } catch {
    // Then it holds until the page is closed.
  }
})
