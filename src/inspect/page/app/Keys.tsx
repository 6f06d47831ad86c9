/** The keys, and the list of them. */
import { Fragment } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { signal } from "@preact/signals"
import { seesNodes } from "../store.ts"
import { go } from "./location.ts"
import { noFilter } from "../../client/rows.ts"

const isShown = signal(false)

export const showKeys = (): void => {
  isShown.value = true
}

/** Keys that are typed into a field are no shortcuts. */
const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName))

let isAfterG = false

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return
  if (isAfterG) {
    isAfterG = false
    if (event.key === "h") return go({ view: "attention" })
    if (event.key === "s") return go({ view: "sessions", filter: noFilter })
    if (event.key === "a") return go({ view: "approvals" })
    if (event.key === "o") return go({ view: "fleet" })
    if (event.key === "m") return go({ view: "machine" })
    if (event.key === "e") return go({ view: "agents" })
    if (event.key === "n" && seesNodes.value) return go({ view: "nodes" })
  }
  if (event.key === "n") return go({ view: "new" })
  if (event.key === "?") isShown.value = !isShown.value
  else if (event.key === "g") {
    isAfterG = true
    setTimeout(() => {
      isAfterG = false
    }, 1_000)
  } else if (event.key === "/") {
    const search = document.querySelector<HTMLInputElement>("[data-search]")
    if (search === null) return
    event.preventDefault()
    search.focus()
    search.select()
  }
})

const keys: ReadonlyArray<readonly [keys: ReadonlyArray<string>, does: string]> = [
  [["/"], "search sessions, or in the session"],
  [["j", "k", "↑", "↓"], "move in the table"],
  [["Home", "End"], "first and last loaded row"],
  [["Enter"], "open the session"],
  [["x", "⇧ ↓"], "choose it, and those beside it"],
  [["Esc"], "leave the search, or take a press back"],
  [["[", "]"], "step back and forth in a session's time"],
  [["+", "-"], "look closer at it, and from further away"],
  [["l"], "back to now"],
  [["f", "F"], "its next failure, and the one before"],
  [["n"], "a new session"],
  [["g", "h"], "what needs attention"],
  [["g", "s"], "all sessions"],
  [["g", "a"], "approvals"],
  [["g", "o"], "the overview"],
  [["g", "e"], "the agents"],
  [["g", "m"], "the machine"],
  [["?"], "this list"]
]
const keysOfOperators: typeof keys = keys.toSpliced(-1, 0, [["g", "n"], "the nodes"])

export const Keys = () => {
  const dialog = useRef<HTMLDialogElement>(null)
  const isOpen = isShown.value
  useEffect(() => {
    if (isOpen) dialog.current?.showModal()
    else dialog.current?.close()
  }, [isOpen])
  return (
    <dialog ref={dialog} class="keys" aria-label="Keys" onClose={() => (isShown.value = false)}>
      <h2>Keys</h2>
      <dl>
        {(seesNodes.value ? keysOfOperators : keys).map(([names, does]) => (
          <Fragment key={does}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </Fragment>
        ))}
      </dl>
      <button type="button" class="button" onClick={() => (isShown.value = false)}>
        Close
      </button>
    </dialog>
  )
}
