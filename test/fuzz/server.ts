/** A whole Troupe for random requests, and what is asserted of each answer and of the server afterwards. */
import { assert } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { connect } from "node:net"
import type { Document } from "../http/openApi.ts"
import { schemasOf } from "../http/openApi.ts"
import { adminToken, open } from "../inspect/harness.ts"
import type { RunningTroupe, TroupeOptions } from "../inspect/harness.ts"
import { routesOf } from "../isolation/routes.ts"
import type { Route } from "../isolation/routes.ts"

export interface Fuzzed {
  readonly troupe: RunningTroupe
  readonly routes: ReadonlyArray<Route>
  readonly document: Document
  readonly token: string
  /** The port of the server. */
  readonly port: number
  readonly run: <A>(effect: Effect.Effect<A>) => Promise<A>
}

/** Opens a server for `use`, and asserts that it still answers afterwards, and met no defect. */
export const withServer = async (use: (fuzzed: Fuzzed) => Promise<void>, options: TroupeOptions = {}) => {
  const scope = Effect.runSync(Scope.make())
  const inScope = <A>(effect: Effect.Effect<A, never, Scope.Scope>) =>
    Effect.runPromise(Effect.provideService(effect, Scope.Scope, scope))
  try {
    const troupe = await inScope(open({ run: { command: ["no-such-program"] }, ...options }))
    const routes = await inScope(routesOf(troupe).pipe(Effect.orDie))
    const { json } = await Effect.runPromise(troupe.call("/openapi.json"))
    const token = await Effect.runPromise(troupe.mint("fuzzing"))
    await use({
      troupe,
      routes,
      document: json as Document,
      token,
      port: Number(new URL(troupe.base).port),
      run: Effect.runPromise
    })
    const alive = await Effect.runPromise(troupe.call("/healthz"))
    assert.strictEqual(alive.status, 200)
    const sessions = await Effect.runPromise(troupe.call("/admin/sessions?limit=1", { token: adminToken }))
    assert.strictEqual(sessions.status, 200)
    assertNoDefect(troupe)
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** The log of a server keeps all its lines; for a million inputs they are looked at and let go. */
export const assertNoDefect = ({ log }: RunningTroupe) => {
  const defects = log.filter((line) => /defect|could not start its fiber|unhandled/i.test(line))
  log.length = 0
  assert.deepStrictEqual(defects.slice(0, 3), [])
}

export interface RawAnswer {
  readonly status: number
  readonly text: string
}

const within = 20_000

/** A request that is not complete by then never will be: the server would wait for the rest of it. */
const incompleteMillis = 150

/**
 * Sends bytes as they are, and reads until the server has closed the connection or the answer is a stream, of which the
 * beginning is enough. `status` 0: the connection was closed without an answer. `isComplete`: the answer is waited for.
 */
export const sendRaw = (port: number, bytes: Uint8Array | string, isComplete = false): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1")
    const chunks: Array<Buffer> = []
    const deadline = setTimeout(() => {
      socket.destroy()
      reject(
        new Error(
          `no answer within ${within} ms to ${JSON.stringify(Buffer.from(bytes).toString("latin1").slice(0, 600))}`
        )
      )
    }, within)
    const done = () => {
      clearTimeout(deadline)
      clearTimeout(end)
      const text = Buffer.concat(chunks).toString("latin1")
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text })
    }
    socket.on("data", (chunk) => {
      chunks.push(chunk)
      if (/content-type: text\/event-stream/i.test(chunk.toString("latin1"))) socket.destroy()
    })
    socket.on("error", () => {})
    socket.on("close", done)
    const end = isComplete ? undefined : setTimeout(() => socket.end(), incompleteMillis)
    socket.on("connect", () => socket.write(bytes))
  })

/** No fault of the server's own: 502 and 503 say that a program is missing, or that there is no room. */
export const assertNoFault = ({ status, text }: RawAnswer, request: string) =>
  assert.notStrictEqual(status, 500, `${request}\n${text.slice(0, 2_000)}`)

/** Bodies that the contract takes, for all operations that have one. */
export const validBodies = (document: Document): ReadonlyArray<unknown> => {
  const { valid } = schemasOf(document)
  return Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).flatMap(({ requestBody }) => {
      const schema = requestBody?.content["application/json"]?.schema
      return schema === undefined ? [] : [valid(schema), valid(schema, true)]
    })
  )
}

/** The bytes of a request. */
export const request = (
  method: string,
  path: string,
  headers: ReadonlyArray<string>,
  body: Buffer = Buffer.alloc(0)
) => {
  const lines = ["host: 127.0.0.1", "connection: close", `content-length: ${body.length}`, ...headers]
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`, "latin1"), body])
}

/** Forgets the log now and then, and looks that no defect is in it. */
export const everyHundred = ({ troupe }: Fuzzed) => {
  let count = 0
  return () => {
    if (++count % 100 === 0) assertNoDefect(troupe)
  }
}
