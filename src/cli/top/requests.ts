/** Requests and delays of a program that may end meanwhile: after `stop` none of them has an effect. */
import { problemFrom } from "../../inspect/client/api.ts"
import type { Problem } from "../../inspect/client/api.ts"

export interface RequestHandlers {
  /** A frame has to be drawn. */
  readonly changed: () => void
  readonly failed: (problem: Problem) => void
  /** The token is not valid any more. */
  readonly unauthorized: (problem: Problem) => void
}

export type Requests = ReturnType<typeof makeRequests>

export const makeRequests = ({ changed, failed, unauthorized }: RequestHandlers) => {
  let isOver = false
  const timers = new Set<ReturnType<typeof setTimeout>>()

  /** An action that runs once when `millis` have passed. */
  const delayed = (millis: number, run: () => void) => {
    let pending: ReturnType<typeof setTimeout> | undefined
    const restart = () => {
      clearTimeout(pending)
      if (pending !== undefined) timers.delete(pending)
      if (isOver) return
      const timer = setTimeout(() => {
        timers.delete(timer)
        pending = undefined
        run()
      }, millis)
      pending = timer
      timers.add(timer)
    }
    return {
      /** Starts the delay, unless it has started: at most one run within `millis`. */
      start: () => {
        if (pending === undefined) restart()
      },
      /** Starts the delay from its beginning. */
      restart
    }
  }

  const settle = async <A>(
    request: Promise<A>,
    done: (answer: A) => void,
    onProblem: (problem: Problem) => void
  ): Promise<void> => {
    const answer = await request.then(
      (body) => ({ body }),
      (cause: unknown) => ({ problem: problemFrom(cause) })
    )
    if (isOver) return
    if ("body" in answer) done(answer.body)
    else if (answer.problem.status === 401) return unauthorized(answer.problem)
    else onProblem(answer.problem)
    changed()
  }

  return {
    delayed,
    /** Calls `done` with the answer, or `onProblem`. */
    request: <A>(
      request: Promise<A>,
      done: (answer: A) => void,
      onProblem: (problem: Problem) => void = failed
    ): void => void settle(request, done, onProblem),
    stop: () => {
      isOver = true
      for (const timer of timers) clearTimeout(timer)
    }
  }
}
