/** The codex driver on the real codex and a model of the test's, without Troupe's services around it. */
import { Effect, Latch } from "effect"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { plainSetup } from "../../../src/agent/Agent.ts"
import type {
  AgentConnection,
  AgentFact,
  AgentQuestion,
  ApprovalRequest,
  OpenRequest
} from "../../../src/agent/Agent.ts"
import * as Codex from "../../../src/agent/codex/driver.ts"
import { Processes } from "../../../src/agent/Processes.ts"
import { redactedDriver } from "../../../src/agent/redactedDriver.ts"
import { newLeaseId, SessionId } from "../../../src/domain/Ids.ts"
import type { Answers } from "../../../src/domain/Question.ts"
import { textPrompt } from "../../../src/domain/Turn.ts"
import type { Prompt } from "../../../src/domain/Turn.ts"
import * as Model from "../models/Model.ts"
import { codexConfig, environment, real } from "./Installation.ts"
import { within } from "./until.ts"

/** What codex sends its model, as much as the tests read. */
export interface ModelRequest {
  readonly model: string
  readonly reasoning?: { readonly effort?: string }
  readonly text?: { readonly format?: object }
  readonly input: ReadonlyArray<{ readonly role?: string; readonly type?: string; readonly [key: string]: unknown }>
}

export const scene = Effect.gen(function* () {
  const processes = yield* Processes
  // Not below /tmp, which a sandbox leaves open.
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync("/var/tmp/troupe-codex-")),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }))
  )
  const at = (name: string) => join(directory, name)
  const model = yield* Model.start
  for (const name of ["home", "tmp", "work", "codex"]) mkdirSync(at(name))
  cpSync(join(real, "models/models.json"), at("codex/models.json"))
  writeFileSync(at("codex/config.toml"), codexConfig(at("codex"), model.port))
  const env = environment(directory, model.port)
  const driver = redactedDriver(
    yield* Codex.make({ name: "codex", command: [at("bin/codex"), "app-server"], env, secrets: [] }),
    []
  )
  mkdirSync(at("bin"))
  writeFileSync(at("bin/codex"), `#!/bin/sh\nexec '${real}/node_modules/.bin/codex' "$@"\n`, { mode: 0o755 })

  const open = Effect.fnUntraced(function* (changes: Partial<OpenRequest> = {}, answers: Answers | null = null) {
    const lease = newLeaseId()
    const facts: Array<AgentFact> = []
    const questions: Array<AgentQuestion> = []
    const approvals: Array<ApprovalRequest> = []
    const newFact = yield* Latch.make()
    const request: OpenRequest = {
      session: SessionId.make(lease),
      lease,
      cwd: at("work"),
      ...plainSetup,
      permissions: "deny",
      thread: null,
      emit: (fact) =>
        Effect.andThen(
          Effect.sync(() => void facts.push(fact)),
          newFact.open
        ),
      approve: (approval) => Effect.sync(() => (approvals.push(approval), "deny")),
      ask: (question) => Effect.sync(() => (questions.push(question), answers)),
      spawned: () => Effect.void,
      ...changes
    }
    yield* Effect.addFinalizer(() => processes.sweep(lease))
    const connection: AgentConnection = yield* driver.open(request)
    const until = <A extends AgentFact>(what: string, isIt: (fact: AgentFact) => fact is A) =>
      within(
        what,
        Effect.gen(function* () {
          while (true) {
            yield* newFact.close
            const fact = facts.find(isIt)
            if (fact !== undefined) return fact
            yield* newFact.await
          }
        })
      )
    let turns = 0
    const turn = Effect.fnUntraced(function* (prompt: string | Partial<Prompt>) {
      turns += 1
      const index = turns
      const whole = typeof prompt === "string" ? textPrompt(prompt) : { ...textPrompt("hello"), ...prompt }
      yield* connection.prompt(index, whole)
      return yield* until(
        `the end of turn ${index}`,
        (fact): fact is Extract<AgentFact, { _tag: "TurnEnded" }> => fact._tag === "TurnEnded" && fact.turn === index
      )
    })
    return { approvals, connection, end: processes.sweep(lease), facts, lease, questions, turn, until }
  })

  /** The last request of codex for an answer. */
  const asked = (): ModelRequest => model.asked().at(-1)?.request as unknown as ModelRequest
  return { asked, at, driver, env, model, open }
})
