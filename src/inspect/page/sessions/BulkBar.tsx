/** What can be done to all chosen sessions at once. Each press asks first, with what it does to how many. */
import { useState } from "preact/hooks"
import type { Problem, SessionFilter } from "../../client/api.ts"
import { plural } from "../../client/format.ts"
import { isAdmin } from "../store.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { bulk } from "./bulk.ts"
import { BulkAnswers } from "./BulkAnswers.tsx"
import { BulkConfirm } from "./BulkConfirm.tsx"
import { BulkResults } from "./BulkResults.tsx"
import { table } from "./feed.ts"
import { chooseMatching, chooseNone, chosenCount, mostChosen } from "./selection.ts"

type Asked = "unpark" | "close" | "answer"

export const BulkBar = ({ filter }: { readonly filter: SessionFilter }) => {
  const [asked, setAsked] = useState<Asked | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [isChoosing, setChoosing] = useState(false)
  const count = chosenCount.value
  const matching = table.count.value
  const leave = () => setAsked(null)
  const chooseAll = async () => {
    setChoosing(true)
    setProblem(await chooseMatching(filter))
    setChoosing(false)
  }
  if (count === 0 && bulk.value === null) return null
  const isBusy = bulk.value?.isRunning === true
  return (
    <section class="bulk" aria-label="Chosen sessions">
      {count === 0 ? null : (
        <div class="bulk-bar">
          <b role="status">{plural(count, "session")} chosen</b>
          {matching > count && count < mostChosen ? (
            <button type="button" class="button" disabled={isChoosing} onClick={() => void chooseAll()}>
              {matching > mostChosen
                ? `Choose the first ${mostChosen} of ${plural(matching, "match", "matches")}`
                : `Choose all ${matching} that match`}
            </button>
          ) : null}
          <button type="button" class="button" onClick={chooseNone}>
            Choose none
          </button>
          <span class="bulk-orders">
            {isAdmin.value ? (
              <button type="button" class="button" disabled={isBusy} onClick={() => setAsked("unpark")}>
                Unpark…
              </button>
            ) : null}
            <button type="button" class="button" disabled={isBusy} onClick={() => setAsked("answer")}>
              Answer…
            </button>
            <button type="button" class="button danger" disabled={isBusy} onClick={() => setAsked("close")}>
              Close…
            </button>
          </span>
        </div>
      )}
      {problem === null ? null : <ProblemBox problem={problem} onRetry={() => void chooseAll()} />}
      {asked === "answer" ? <BulkAnswers onLeave={leave} /> : null}
      {asked === "close" || asked === "unpark" ? <BulkConfirm order={asked} onLeave={leave} /> : null}
      <BulkResults />
    </section>
  )
}
