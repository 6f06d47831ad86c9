/** A conversation that the agent has already, to go on with. The list is asked for on request: that starts the agent. */
import { useState } from "preact/hooks"
import type { Threads } from "../../contract.ts"
import { problemFrom } from "../../client/api.ts"
import type { Problem } from "../../client/api.ts"
import { api } from "../store.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { Since } from "../ui/Time.tsx"

interface Props {
  readonly agent: string
  /** Whose conversations the admin asks for. */
  readonly app: string | undefined
  readonly chosen: string | undefined
  readonly choose: (thread: string | undefined) => void
}

export const ThreadPicker = ({ agent, app, choose, chosen }: Props) => {
  const [threads, setThreads] = useState<Threads["threads"] | undefined>()
  const [cursor, setCursor] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | undefined>()

  const ask = async () => {
    setBusy(true)
    setProblem(undefined)
    try {
      const page = await api.threads(agent, { app, cursor })
      setThreads([...(threads ?? []), ...page.threads])
      setCursor(page.next_cursor)
    } catch (cause) {
      setProblem(problemFrom(cause))
    }
    setBusy(false)
  }
  const more = (words: string) => (
    <button type="button" class="button" disabled={isBusy} onClick={() => void ask()}>
      {isBusy ? "Asking the agent…" : words}
    </button>
  )

  return (
    <fieldset class="question-field start-threads">
      <legend>Conversation</legend>
      <label class="question-option">
        <input type="radio" name="thread" checked={chosen === undefined} onChange={() => choose(undefined)} />
        <span>A new one</span>
      </label>
      {(threads ?? []).map(({ cwd, id, title, updated_at }) => (
        <label key={id} class="question-option">
          <input type="radio" name="thread" checked={chosen === id} onChange={() => choose(id)} />
          <span>
            <span class="start-title">{title ?? id}</span>
            <small class="dim">
              {updated_at === null ? null : (
                <>
                  <Since at={updated_at} /> ago{" · "}
                </>
              )}
              <span class="mono">{cwd ?? id}</span>
            </small>
          </span>
        </label>
      ))}
      <p role="status" class="dim">
        {threads?.length === 0 ? "The agent has no other conversation." : ""}
      </p>
      {problem === undefined ? null : <ProblemBox problem={problem} />}
      {threads === undefined ? more("Show those that it has") : cursor === null ? null : more("Show older ones")}
    </fieldset>
  )
}
