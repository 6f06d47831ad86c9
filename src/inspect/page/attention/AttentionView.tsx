/** The home page: what needs a person, the oldest first, each with what can be done at once. */
import { useEffect, useRef } from "preact/hooks"
import { plural } from "../../client/format.ts"
import { focusView } from "../app/focus.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { AttentionRow } from "./AttentionRow.tsx"
import { isCut, items, problem, refresh, seenCount } from "./attention.ts"
import { isNotifying, toggleNotifications } from "./notifications.ts"
import { showSeen } from "./seen.ts"

export const AttentionView = () => {
  useEffect(() => void refresh(), [])
  const shown = items.value
  // The one that was dealt with takes the focus with it.
  const shownCount = useRef(0)
  const count = shown?.length ?? 0
  useEffect(() => {
    if (count < shownCount.current && document.activeElement === document.body) focusView()
    shownCount.current = count
  }, [count])
  return (
    <main id="view" class="view" tabIndex={-1} aria-busy={shown === undefined && problem.value === undefined}>
      <div class="attention">
        <header class="attention-head">
          <h1>Needs attention</h1>
          <p class="dim" role="status">
            {shown === undefined || count === 0
              ? ""
              : `${plural(count, "thing")}${isCut.value ? ", and more" : ""}, the oldest first`}
          </p>
          {seenCount.value === 0 ? null : (
            <button type="button" class="button" onClick={showSeen}>
              Show {plural(seenCount.value, "seen one")}
            </button>
          )}
          <button
            type="button"
            class="button"
            aria-pressed={isNotifying.value}
            title="Notifications of the browser, while this page is open and not seen"
            onClick={() => void toggleNotifications()}
          >
            {isNotifying.value ? "Notifications are on" : "Notify me"}
          </button>
        </header>
        {problem.value === undefined ? null : <ProblemBox problem={problem.value} onRetry={() => void refresh()} />}
        {count === 0 && shown !== undefined && problem.value === undefined ? <Nothing /> : null}
        {shown === undefined || count === 0 ? null : (
          <ul class="attention-list" aria-label="Needs attention">
            {shown.map((item) => (
              <AttentionRow key={item.key} item={item} />
            ))}
          </ul>
        )}
      </div>
    </main>
  )
}

const Nothing = () => (
  <div class="empty">
    <h2>Nothing needs you</h2>
    <p>
      Questions that wait, sessions that are parked, silent or in line, and turns that failed appear here by themselves.
    </p>
    <p class="attention-ways">
      <a class="button" href="#/sessions">
        All sessions
      </a>
      <a class="button primary" href="#/new">
        New session
      </a>
    </p>
  </div>
)
