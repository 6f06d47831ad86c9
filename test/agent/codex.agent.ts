/** A connection to a scripted codex, and the parts of its scripts. */
import { Effect, FileSystem, Latch } from "effect"
import type { AgentFact, ApprovalDecision, ApprovalRequest, DriverConfig, OpenRequest } from "../../src/agent/Agent.ts"
import * as Codex from "../../src/agent/codex/driver.ts"
import type { Patience } from "../../src/agent/codex/patience.ts"
import type { CodexSpec } from "../../src/agent/codex/spec.ts"
import { Processes } from "../../src/agent/Processes.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import { freshLease, fixture } from "./child.ts"
import { traceFile } from "./codex.replay.ts"
import { plainSetup } from "../../src/agent/Agent.ts"

export type Script = ReadonlyArray<{ readonly dir: "in" | "out" | "note"; readonly msg: object }>

/** A connection to a scripted codex: the emitted facts, the lines that codex received, and the approval requests. */
export const connect = Effect.fnUntraced(function* (
  env: Readonly<Record<string, string>>,
  decide: ApprovalDecision = "deny",
  changes: Partial<OpenRequest> = {},
  patience: Partial<Patience> = {},
  spec: CodexSpec = {}
) {
  const processes = yield* Processes
  const files = yield* FileSystem.FileSystem
  const inputFile = yield* files.makeTempFileScoped()
  const lease = freshLease()
  const facts: Array<AgentFact> = []
  const approvalRequests: Array<ApprovalRequest> = []
  const newFact = yield* Latch.make()
  const config: DriverConfig = {
    name: "codex",
    command: [process.execPath, fixture("codex")],
    env: { PATH: process.env["PATH"] ?? "", RECEIVED: inputFile, ...env }
  }
  const driver = yield* Codex.make(config, spec, patience)
  const opening = driver.open({
    session: "ses_test" as SessionId,
    lease,
    cwd: import.meta.dirname,
    ...plainSetup,
    permissions: "deny",
    thread: null,
    emit: (fact) =>
      Effect.andThen(
        Effect.sync(() => void facts.push(fact)),
        newFact.open
      ),
    approve: (request) => Effect.sync(() => (approvalRequests.push(request), decide)),
    spawned: () => Effect.void,
    ...changes
  })
  yield* Effect.addFinalizer(() => processes.sweep(lease))
  const until = <A extends AgentFact["_tag"]>(tag: A, nth = 0) =>
    Effect.gen(function* () {
      while (true) {
        // Closed before the search, so that a fact that comes in between opens it again.
        yield* newFact.close
        const fact = facts.filter(
          (candidate): candidate is Extract<AgentFact, { readonly _tag: A }> => candidate._tag === tag
        )[nth]
        if (fact !== undefined) return fact
        yield* newFact.await
      }
    })
  const wire = files
    .readFileString(inputFile)
    .pipe(Effect.map((text) => text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as WireLine]))))
  return { opening, facts, approvalRequests, until, wire, lease }
})

export interface WireLine {
  readonly id?: unknown
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number }
}

export const playing = (name: string, decide?: ApprovalDecision, changes?: Partial<OpenRequest>) =>
  connect({ TRACE: traceFile(name) }, decide, changes)
export const scripted = (
  script: Script,
  decide?: ApprovalDecision,
  changes?: Partial<OpenRequest>,
  patience?: Partial<Patience>,
  spec?: CodexSpec
) => connect({ SCRIPT: JSON.stringify(script) }, decide, changes, patience, spec)

// ---- parts of scripts

export const on = (id: number, method: string) => ({ dir: "in", msg: { id, method } }) as const
export const reply = (id: number, result: object) => ({ dir: "out", msg: { id, result } }) as const
export const errorReply = (id: number, code: number, message: string) =>
  ({ dir: "out", msg: { id, error: { code, message } } }) as const
export const say = (method: string, params: object) =>
  ({ dir: "out", msg: { method, params: { threadId: "T", ...params } } }) as const
export const wait = (millis: number) => note({ __event: "wait", millis })
export const note = (msg: object) => ({ dir: "note", msg }) as const

export const hello: Script = [
  on(1, "initialize"),
  reply(1, { userAgent: "troupe/9.9.9 (x)" }),
  { dir: "in", msg: { method: "initialized" } }
]
export const started: Script = [...hello, on(2, "thread/start"), reply(2, { thread: { id: "T" } })]
export const turning: Script = [
  ...started,
  on(3, "turn/start"),
  reply(3, { turn: { id: "U" } }),
  say("turn/started", { turn: { id: "U" } })
]
export const turnEnds = (status: string) => say("turn/completed", { turn: { id: "U", status, error: null } })
