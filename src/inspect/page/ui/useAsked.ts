/** What the server says while it is seen: asked for at once, and again so long after each answer. */
import { useEffect, useState } from "preact/hooks"
import { problemFrom } from "../../client/api.ts"
import type { Problem } from "../../client/api.ts"

export interface Asked<A> {
  /** `undefined`: not answered yet. It stays beside a problem that came after it. */
  readonly latest: A | undefined
  readonly problem: Problem | undefined
}

/** `null` instead of a question asks nothing. It is asked anew when one of `of` changes. */
export const useAsked = <A>(
  question: (() => Promise<A>) | null,
  everyMillis: number,
  of: ReadonlyArray<unknown>,
  onProblem: (problem: Problem) => void = () => {}
): Asked<A> => {
  const [latest, setLatest] = useState<A | undefined>()
  const [problem, setProblem] = useState<Problem | undefined>()
  useEffect(() => {
    if (question === null) return
    let isHere = true
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async () => {
      try {
        const answer = document.hidden ? undefined : await question()
        if (isHere && answer !== undefined) {
          setLatest(answer)
          setProblem(undefined)
        }
      } catch (cause) {
        if (!isHere) return
        const problem = problemFrom(cause)
        setProblem(problem)
        onProblem(problem)
      }
      if (isHere) timer = setTimeout(() => void ask(), everyMillis)
    }
    void ask()
    return () => {
      isHere = false
      clearTimeout(timer)
    }
  }, of)
  return { latest, problem }
}
