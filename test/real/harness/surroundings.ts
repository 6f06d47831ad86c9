/** What lies around a session's directory in a test of permissions: a directory elsewhere, and a server that counts. */
import { Effect } from "effect"
import type { Scope } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Session } from "./App.ts"
import type { AcpEvent } from "./wire.ts"

/** Below no temporary directory that a sandbox leaves open. */
export const elsewhere: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync("/var/tmp/troupe-real-")),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)

export interface Web {
  /** A shell command that requests a page of it; fails without a network. */
  readonly command: string
  /** How often a page was requested since the last time. */
  readonly requests: () => number
}

export const web: Effect.Effect<Web, never, Scope.Scope> = Effect.gen(function* () {
  let count = 0
  const server = createServer((_, response) => {
    count += 1
    response.end("page")
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const { port } = server.address() as AddressInfo
  return {
    // Not every machine has curl; the agents' PATH has the Node that runs the tests.
    command: `node -e "require('http').get('http://127.0.0.1:${port}/')"`,
    requests: () => {
      const requests = count
      count = 0
      return requests
    }
  }
})

/** Answers every question of a session, until it or the scope closes; gives how many there were since the last time. */
export const answering = (session: Session, decision: "once" | "deny") =>
  Effect.gen(function* () {
    const answered = new Set<string>()
    let count = 0
    const isNew = ({ method, params }: AcpEvent) => {
      const { approval_id: id } = (params ?? {}) as { readonly approval_id?: string }
      if (method !== "_troupe/approval_asked" || id === undefined || answered.has(id)) return false
      answered.add(id)
      return true
    }
    const answerNext = Effect.gen(function* () {
      const before = answered.size
      yield* session.heard(isNew)
      // The stream of a closed session has an end.
      if (answered.size === before) return false
      count += 1
      yield* session.answer([...answered].at(-1) ?? "", decision)
      return true
    })
    yield* Effect.forkScoped(Effect.repeat(answerNext, { while: (goesOn) => goesOn }))
    return () => {
      const questions = count
      count = 0
      return questions
    }
  })
