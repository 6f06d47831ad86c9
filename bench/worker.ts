/**
 * Worker processes of the benchmark: neither side's garbage collection nor compiled code affects the other.
 *
 * A call is one message to the worker and one back, with a deadline. A worker whose parent is gone ends itself.
 */
import { fork } from "node:child_process"
import { once } from "node:events"

/** The calls that a worker takes, with one parameter or none. Parameters and answers are JSON. */
export type Calls = { readonly [name: string]: (params: never) => Promise<unknown> }

export interface Worker<C extends Calls> {
  readonly call: <K extends keyof C & string>(name: K, ...params: Parameters<C[K]>) => ReturnType<C[K]>
  /** Asks the worker to end, and waits until it has. */
  readonly end: () => Promise<void>
}

interface Request {
  readonly id: number
  readonly name: string
  readonly params: unknown
}

interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

const callWithinMillis = 180_000
const endWithinMillis = 60_000

export const start = <C extends Calls>(
  file: string,
  args: ReadonlyArray<string>,
  execArgv: ReadonlyArray<string> = []
): Worker<C> => {
  const child = fork(new URL(file, import.meta.url), args, { execArgv: [...execArgv] })
  const waiting = new Map<number, (reply: Reply) => void>()
  let calls = 0
  const exited = once(child, "exit")
  child.on("message", (reply: Reply) => waiting.get(reply.id)?.(reply))
  child.on("exit", (code, signal) => {
    for (const [id, settle] of waiting) settle({ id, error: `${file} ended (${signal ?? code})` })
  })

  const call = (name: string, params?: unknown) =>
    new Promise((resolve, reject) => {
      const id = ++calls
      const settle = (reply: Reply) => {
        clearTimeout(deadline)
        waiting.delete(id)
        if (reply.error === undefined) resolve(reply.value)
        else reject(new Error(reply.error))
      }
      const late = `${file} did not answer ${name} within ${callWithinMillis / 1000} s`
      const deadline = setTimeout(() => settle({ id, error: late }), callWithinMillis)
      waiting.set(id, settle)
      child.send({ id, name, params } satisfies Request, (error) => {
        if (error !== null) settle({ id, error: `${file} takes no calls: ${error.message}` })
      })
    })

  return {
    call: call as unknown as Worker<C>["call"],
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.disconnect()
      const deadline = setTimeout(() => child.kill("SIGKILL"), endWithinMillis)
      await exited
      clearTimeout(deadline)
    }
  }
}

/** The worker's side: answers calls until the parent disconnects, then runs `close` and ends the process. */
export const serveCalls = (calls: Calls, close: () => Promise<void>): void => {
  const answer = async ({ id, name, params }: Request): Promise<Reply> => {
    try {
      const call = calls[name]
      if (call === undefined) return { id, error: `there is no call ${name}` }
      return { id, value: await call(params as never) }
    } catch (error) {
      return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
  }
  process.on("message", (request: Request) => {
    void answer(request).then((reply) => process.connected && process.send?.(reply))
  })
  process.on("disconnect", () => {
    void close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      }
    )
  })
}
