/** Two moments of this session beside each other, or this session beside another one. */
import { useState } from "preact/hooks"
import { clockTime } from "../../../client/format.ts"
import { hashOfSession } from "../../app/router.ts"
import { now } from "../../clock.ts"
import { sayProblem } from "../../store.ts"
import { goToStep } from "../goTo.ts"
import { compareMoments, compareSessions, partingOf, stepsBetween, stepWords } from "../model/compare.ts"
import type { Compared, Other } from "../model/compare.ts"
import type { Store } from "../store.ts"

/** More are read by nobody. */
const mostSteps = 50

export const Compare = ({ store }: { readonly store: Store }) => (
  <div class="compare" tabIndex={0} role="region" aria-label="Compare">
    <TwoMoments store={store} />
    {store.api === null ? null : <TwoSessions store={store} />}
  </div>
)

const momentWords = (store: Store, count: number): string => {
  const step = store.steps.value[count - 1]?.step
  return step === undefined
    ? "before the first step"
    : `after step ${step.seq}, ${clockTime(step.at, now.peek(), true)}`
}

const TwoMoments = ({ store }: { readonly store: Store }) => {
  const kept = store.kept.value
  const shown = Math.min(store.moment.value, store.steps.value.length)
  const between = kept === null ? [] : stepsBetween(store.steps.value, kept, shown)
  return (
    <>
      <h2>Two moments</h2>
      <p class="compare-bar">
        <button type="button" class="button" onClick={() => (store.kept.value = shown)}>
          {kept === null ? "Keep this moment" : "Keep this one instead"}
        </button>
        <span class="dim">
          {kept === null
            ? "Then go to another one: what differs is shown here."
            : kept === shown
              ? "It is the one that is shown. Go to another one: what differs is shown here."
              : ""}
        </span>
      </p>
      {kept === null || kept === shown ? null : (
        <>
          <Table
            a={momentWords(store, kept)}
            b={momentWords(store, shown)}
            rows={compareMoments({ steps: store.steps.value, at: store.at }, kept, shown)}
          />
          <p class="dim">
            {between.length === 1 ? "One step is" : `${between.length} steps are`} between them
            {between.length > mostSteps ? `; the first ${mostSteps}:` : ":"}
          </p>
          <ol class="compare-steps">
            {between.slice(0, mostSteps).map((step) => (
              <li key={step.seq}>
                <button type="button" class="icon-button" onClick={() => goToStep(store, step.seq)}>
                  {stepWords(step)}
                </button>
              </li>
            ))}
          </ol>
        </>
      )}
    </>
  )
}

const TwoSessions = ({ store }: { readonly store: Store }) => {
  const [id, setId] = useState("")
  const [isAsking, setAsking] = useState(false)
  const [other, setOther] = useState<Other | undefined>()
  const { api } = store
  const detail = store.detail.value
  const ask = async () => {
    if (api === null || id.trim() === "") return
    setAsking(true)
    try {
      setOther(await api.other(id.trim()))
    } catch (cause) {
      sayProblem(cause)
    }
    setAsking(false)
  }
  return (
    <>
      <h2>Another session</h2>
      <form
        class="compare-bar"
        onSubmit={(event) => {
          event.preventDefault()
          void ask()
        }}
      >
        <input
          class="field mono"
          aria-label="The other session"
          placeholder="ses_…"
          value={id}
          onInput={({ currentTarget }) => setId(currentTarget.value)}
        />
        <button type="submit" class="button" disabled={isAsking || id.trim() === ""}>
          Compare
        </button>
      </form>
      {other === undefined || detail === undefined ? null : (
        <>
          <Table
            a="this session"
            b={other.detail.session.session_id}
            rows={compareSessions(detail, other.detail, now.peek())}
          />
          <Parting store={store} other={other} />
        </>
      )}
    </>
  )
}

const Parting = ({ other, store }: { readonly store: Store; readonly other: Other }) => {
  const parting = partingOf(
    store.steps.value.map(({ step }) => step),
    other.steps
  )
  if (parting === null) return <p role="status">Both have taken the same steps.</p>
  const { a, b, nth } = parting
  const same =
    nth === 0 ? "They part at the first step." : `Their first ${nth === 1 ? "step is" : `${nth} steps are`} the same.`
  return (
    <div role="status">
      <p>
        {same} {other.isCut && b === undefined ? "Of the other one only the first are here." : "Then:"}
      </p>
      <ul class="compare-steps">
        <li>
          this one{" "}
          {a === undefined ? (
            "has no more"
          ) : (
            <button type="button" class="icon-button" onClick={() => goToStep(store, a.seq)}>
              {stepWords(a)}
            </button>
          )}
        </li>
        <li>
          the other{" "}
          {b === undefined ? (
            "has no more"
          ) : (
            <a href={hashOfSession(other.detail.session.session_id, { moment: { of: "steps", seq: b.seq } })}>
              {stepWords(b)}
            </a>
          )}
        </li>
      </ul>
    </div>
  )
}

const Table = ({ a, b, rows }: { readonly a: string; readonly b: string; readonly rows: ReadonlyArray<Compared> }) => (
  <table class="compare-table">
    <thead>
      <tr>
        <th scope="col">
          <span class="hidden-text">what</span>
        </th>
        <th scope="col">{a}</th>
        <th scope="col">{b}</th>
      </tr>
    </thead>
    <tbody>
      {rows.map((row) => (
        <tr key={row.name} class={row.differs ? "differs" : ""}>
          <th scope="row">
            {row.differs ? "≠ " : ""}
            {row.name}
          </th>
          <td>{row.a}</td>
          <td>{row.differs ? row.b : <span class="dim">the same</span>}</td>
        </tr>
      ))}
    </tbody>
  </table>
)
