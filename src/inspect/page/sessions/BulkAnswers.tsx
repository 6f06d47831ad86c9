/** Answers what agents of the chosen sessions ask leave for: one kind at a time, with all that is allowed or denied to be read first. */
import { useEffect, useState } from "preact/hooks"
import { problemFrom } from "../../client/api.ts"
import type { Problem } from "../../client/api.ts"
import type { Approval } from "../../contract.ts"
import { plural } from "../../client/format.ts"
import { api } from "../store.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { BulkDialog } from "./BulkDialog.tsx"
import { answering, runBulk } from "./bulk.ts"
import { chosenIds } from "./selection.ts"

/** The server tells of so many at once. */
const mostTold = 500

export const BulkAnswers = ({ onLeave }: { readonly onLeave: () => void }) => {
  const [pending, setPending] = useState<ReadonlyArray<Approval> | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [kind, setKind] = useState<string | null>(null)
  const load = async () => {
    setProblem(null)
    try {
      const { approvals } = await api.approvals()
      setPending(approvals)
    } catch (cause) {
      setProblem(problemFrom(cause))
    }
  }
  useEffect(() => void load(), [])
  const ofChosen = (pending ?? []).filter(({ session_id }) => chosenIds.value.has(session_id))
  const kinds = Map.groupBy(
    ofChosen.filter(({ fields }) => fields === null),
    (approval) => approval.kind
  )
  const questions = ofChosen.filter(({ fields }) => fields !== null).length
  const picked = kind ?? [...kinds.keys()][0] ?? null
  const meant = picked === null ? [] : (kinds.get(picked) ?? [])
  const answer = (decision: "once" | "deny") => {
    const verb = decision === "once" ? "Allow once" : "Deny"
    void runBulk(`${verb}: ${plural(meant.length, "request")} to ${picked}`, answering(meant, decision))
    onLeave()
  }
  return (
    <BulkDialog title="Answer requests" onLeave={onLeave}>
      {problem === null ? null : <ProblemBox problem={problem} onRetry={() => void load()} />}
      {pending === null && problem === null ? <p class="dim">Loading…</p> : null}
      {pending !== null && kinds.size === 0 ? <p>No agent of the chosen sessions asks leave for anything.</p> : null}
      {kinds.size === 0 ? null : (
        <fieldset class="bulk-kinds">
          <legend>What they ask leave for</legend>
          {[...kinds].map(([each, approvals]) => (
            <label key={each}>
              <input type="radio" name="kind" checked={each === picked} onChange={() => setKind(each)} />
              <span>
                {each} <b>{approvals.length}</b>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {meant.length === 0 ? null : (
        <ul class="bulk-names" tabIndex={0} aria-label="The requests">
          {meant.map(({ approval_id, name, session_id, title }) => (
            <li key={approval_id} title={title}>
              <code>{title}</code> <span class="faint">{name ?? session_id}</span>
            </li>
          ))}
        </ul>
      )}
      {questions === 0 ? null : (
        <p class="dim">
          {plural(questions, "question")} of theirs {questions === 1 ? "needs" : "need"} an answer of{" "}
          {questions === 1 ? "its" : "their"} own: <a href="#/approvals">see Approvals</a>.
        </p>
      )}
      {(pending?.length ?? 0) < mostTold ? null : (
        <p class="dim">Only the oldest {mostTold} requests of all sessions are looked at.</p>
      )}
      <div class="bulk-orders">
        <button type="button" class="button" onClick={onLeave}>
          Cancel
        </button>
        <button type="button" class="button danger" disabled={meant.length === 0} onClick={() => answer("deny")}>
          Deny {meant.length}
        </button>
        <button type="button" class="button primary" disabled={meant.length === 0} onClick={() => answer("once")}>
          Allow {meant.length} once
        </button>
      </div>
    </BulkDialog>
  )
}
