/** Requests and delays of a program that may end meanwhile: nothing comes of any of them after that. */
import { problemFrom } from "../../inspect/client/api.ts"
import type { Problem } from "../../inspect/client/api.ts"

export interface Hearing {
  /** Something is to be drawn anew. */
  readonly changed: () => void
  readonly complain: (problem: Problem) => void
  /** Nobody may look any more. */
  readonly shutOut: (problem: Problem) => void
}

export type Asking = ReturnType<typeof makeAsking>

export const makeAsking = ({ changed, complain, shutOut }: Hearing) => {
  let isOver = false
  const waiting = new Set<ReturnType<typeof setTimeout>>()

  /** What is done at most once within so many milliseconds. */
  const soon = (millis: number, run: () => void) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const again = () => {
      clearTimeout(timer)
      if (timer !== undefined) waiting.delete(timer)
      if (isOver) return
      const own = setTimeout(() => {
        waiting.delete(own)
        timer = undefined
        run()
      }, millis)
      timer = own
      waiting.add(own)
    }
    return {
      /** The first who asks sets the time. */
      ask: () => {
        if (timer === undefined) again()
      },
      /** The last one does. */
      again
    }
  }

  const ask = async <A>(
    request: Promise<A>,
    done: (answer: A) => void,
    refused: (problem: Problem) => void
  ): Promise<void> => {
    const answer = await request.then(
      (body) => ({ body }),
      (cause: unknown) => ({ problem: problemFrom(cause) })
    )
    if (isOver) return
    if ("body" in answer) done(answer.body)
    else if (answer.problem.status === 401) return shutOut(answer.problem)
    else refused(answer.problem)
    changed()
  }

  return {
    soon,
    /** What came of a request. */
    asked: <A>(request: Promise<A>, done: (answer: A) => void, refused: (problem: Problem) => void = complain): void =>
      void ask(request, done, refused),
    stop: () => {
      isOver = true
      for (const timer of waiting) clearTimeout(timer)
    }
  }
}
