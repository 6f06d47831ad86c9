/** A connection to an agent under test, with all facts that it emitted. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Scope } from "effect"
import type { AgentConnection, AgentDriver, AgentFact, ApprovalRequest, OpenRequest } from "../../src/agent/Agent.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import * as Acp from "../../src/agent/acp/driver.ts"
import { traceFile } from "./acp.replay.ts"
import { fixture, freshLease } from "./child.ts"
import { textPrompt } from "../../src/domain/Turn.ts"
import { plainSetup } from "../../src/agent/Agent.ts"

/** Real processes answer in milliseconds, but on a busy machine. */
const within = "20 seconds"

export const connect = Effect.fnUntraced(function* (driver: AgentDriver, changes: Partial<OpenRequest> = {}) {
  const processes = yield* Processes
  const lease = freshLease()
  const facts: Array<AgentFact> = []
  const approvalRequests: Array<ApprovalRequest> = []
  const pids: Array<number> = []
  let check = () => {}
  const cwd = mkdtempSync(join(tmpdir(), "troupe-acp-"))
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(cwd, { recursive: true, force: true })))
  yield* Effect.addFinalizer(() => processes.sweep(lease))
  const scope = yield* Scope.Scope
  const connectionScope = yield* Scope.fork(scope)

  /** Gives the first fact for which `holds` is true, emitted already or later. */
  const until = <A extends AgentFact>(holds: ((fact: AgentFact) => fact is A) | ((fact: AgentFact) => boolean)) =>
    Effect.callback<A>((resume) => {
      check = () => {
        const match = facts.find(holds) as A | undefined
        if (match !== undefined) resume(Effect.succeed(match))
      }
      check()
    }).pipe(Effect.timeout(within))

  const connection: AgentConnection = yield* driver
    .open({
      session: `ses_${crypto.randomUUID()}` as SessionId,
      lease,
      cwd,
      ...plainSetup,
      permissions: "ask",
      thread: null,
      emit: (fact) =>
        Effect.sync(() => {
          facts.push(fact)
          check()
        }),
      approve: (request) => Effect.sync(() => void approvalRequests.push(request)).pipe(Effect.as("once" as const)),
      spawned: (pid) => Effect.sync(() => void pids.push(pid)),
      ...changes
    })
    .pipe(Scope.provide(connectionScope), Effect.timeout("60 seconds"), Effect.catchTag("TimeoutError", Effect.die))

  const ended = (turn: number) =>
    until((fact): fact is Extract<AgentFact, { _tag: "TurnEnded" }> => fact._tag === "TurnEnded" && fact.turn === turn)
  const exited = until((fact): fact is Extract<AgentFact, { _tag: "Exited" }> => fact._tag === "Exited")
  const updateOfKind = (kind: string) =>
    until(
      (fact): fact is Extract<AgentFact, { _tag: "Update" }> =>
        fact._tag === "Update" && fact.message.params.update.sessionUpdate === kind
    )
  return {
    approvalRequests,
    connection,
    cwd,
    ended,
    exited,
    facts,
    until,
    updateOfKind,
    lease,
    pids,
    leave: Scope.close(connectionScope, Exit.void),
    turn: (turn: number, text: string) => Effect.andThen(connection.prompt(turn, textPrompt(text)), ended(turn)),
    count: (tag: AgentFact["_tag"]) => facts.filter(({ _tag }) => _tag === tag).length,
    text: (turn: number) =>
      facts
        .flatMap((fact) => (fact._tag === "Update" && fact.turn === turn ? [fact.message.params.update] : []))
        .filter(({ sessionUpdate }) => sessionUpdate === "agent_message_chunk")
        .map(({ content }) => (content as { readonly text: string }).text)
        .join("")
  }
})

export const demoMain = new URL("../../src/agent/demo/main.ts", import.meta.url).pathname

const agent = (name: string, main: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  Acp.make({
    name,
    command: [process.execPath, main, ...args],
    env: { PATH: process.env["PATH"] ?? "", ...env }
  })

export const replayed = Effect.fnUntraced(function* (
  trace: string,
  changes?: Partial<OpenRequest>,
  ...flags: Array<string>
) {
  return yield* connect(yield* agent("replayed", fixture("acp-replay"), [traceFile(trace), ...flags]), changes)
})

export const demo = Effect.fnUntraced(function* (
  changes?: Partial<OpenRequest>,
  env?: Readonly<Record<string, string>>
) {
  return yield* connect(yield* agent("demo", demoMain, [], env), changes)
})
