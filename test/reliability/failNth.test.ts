/**
 * Every call to the system and to SQLite fails once, one after the other: the first, the second, and so on, until a run
 * does not reach the nth any more. After each the server runs, what was accepted is settled, no process is left, and the
 * next turn works.
 *
 * `npm run test:nth` fails each call; `npm run test:processes` one of each kind, another one each time.
 */
// First: see there.
import * as Faults from "./faults.ts"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import * as Harness from "../inspect/harness.ts"
import type { RunningTroupe } from "../inspect/harness.ts"
import type { Kind, Mode } from "./faults.ts"

const whole = process.env["RELIABILITY"] === "whole"
/** For a look at all kinds in less than an hour: every so manieth call. */
const wholeStep = Number(process.env["RELIABILITY_STEP"] ?? 1)
const agent = new URL("../fixtures/agents/quick.sh", import.meta.url).pathname
const agentToken = `3600.${Math.floor(Math.random() * 1e9)}2`

let scope: Scope.Closeable
let troupe: RunningTroupe
let appToken: string
beforeAll(async () => {
  scope = Effect.runSync(Scope.make())
  troupe = await Effect.runPromise(
    Harness.open({
      agents: { quick: { protocol: "acp", command: ["/bin/sh", agent, agentToken] } },
      limits: { ledgerPatienceMillis: 300, maxSessions: 100_000, maxSessionsPerApp: 100_000 }
    }).pipe(Scope.provide(scope))
  )
  appToken = await Effect.runPromise(troupe.mint("app"))
})
afterAll(async () => {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  Faults.uninstall()
  assert.deepStrictEqual(agents(), [], "a process is left")
})

const agents = () =>
  readdirSync("/proc").flatMap((pid) => {
    if (!/^[0-9]+$/.test(pid)) return []
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim()
      return command.includes(agentToken) ? [`${pid} ${command}`] : []
    } catch {
      return []
    }
  })

interface Answer {
  readonly what: string
  /** 0: the connection broke. */
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look at any part of a body
  readonly json: any
}

const call = async (what: string, path: string, body?: object | FormData, method?: "DELETE"): Promise<Answer> => {
  try {
    const response = await fetch(`${troupe.base}${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        authorization: `Bearer ${appToken}`,
        ...(body === undefined || body instanceof FormData ? {} : { "content-type": "application/json" })
      },
      ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000)
    })
    return { what, status: response.status, json: await response.json() }
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") assert.fail(`${what} was not answered within 30 s`)
    return { what, status: 0, json: null }
  }
}

const close = (id: string) => call("close", `/sessions/${id}`, undefined, "DELETE")

const form = () => {
  const data = new FormData()
  data.append("file", new Blob(["some words"]), "words.txt")
  return data
}

/** What an app does in a session's life: two turns, the second with a file, reads, and the close. */
const run = async (): Promise<{ readonly id: string | null; readonly answers: ReadonlyArray<Answer> }> => {
  const answers: Array<Answer> = []
  const ask = async (...args: Parameters<typeof call>) => {
    const answer = await call(...args)
    answers.push(answer)
    return answer
  }
  const created = await ask("create", "/sessions", { agent: "quick" })
  const id: string | null = created.json?.session_id ?? null
  if (id === null) return { id, answers }
  await ask("turn", `/sessions/${id}/turn`, { prompt: "hello" })
  const file = await ask("upload", "/files", form())
  const files = file.json?.file_id === undefined ? [] : [file.json.file_id]
  await ask("turn with file", `/sessions/${id}/turn`, { prompt: "hello", files })
  await ask("read turn", `/sessions/${id}/turns/1`)
  await ask("read messages", `/sessions/${id}/messages`)
  await ask("list", "/sessions")
  await ask("close", `/sessions/${id}`, undefined, "DELETE")
  return { id, answers }
}

/** An answer says what could not be done. What is broken off, or refused with a sentence, is clear. */
const assertClear = ({ json, status, what }: Answer, failed: string) => {
  if (status < 400) return
  const said = `${what} after ${failed}: ${status} ${JSON.stringify(json)}`
  // A 500 of Troupe's own says what could not be done; one of a defect that nobody thought of is `internal`.
  if (status === 500) assert.strictEqual(json?.error, "unavailable", said)
  assert.match(String(json?.detail ?? json?.error ?? ""), /[a-z]{3,}.*[a-z]{3,}/, said)
}

const untilHolds = async (what: string, holds: () => Promise<boolean>) => {
  for (const until = Date.now() + 20_000; !(await holds());) {
    assert.isBelow(Date.now(), until, what)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

/** With nothing failing any more: everything settles, and everything works. */
const assertWell = async (ofRun: string | null, failed: string) => {
  assert.strictEqual((await fetch(`${troupe.base}/healthz`)).status, 200, failed)
  await untilHolds(`the ledger came back after ${failed}`, async () => {
    return (await fetch(`${troupe.base}/readyz`)).status === 200
  })
  const view = ofRun === null ? null : (await call("view", `/sessions/${ofRun}`)).json
  if (view !== null) {
    await untilHolds(`all turns are settled after ${failed}`, async () => {
      const { json, status } = await call("turns", `/sessions/${ofRun}/turns`)
      assert.strictEqual(status, 200, `${failed}: ${JSON.stringify(json)}`)
      return json.turns.every(({ stop_reason }: { stop_reason: string | null }) => stop_reason !== null)
    })
  }
  // The next turn: of the same session, where it is not closed.
  const isOpen = view !== null && view.state !== "closed"
  const id: string = isOpen ? ofRun : (await call("create", "/sessions", { agent: "quick" })).json?.session_id
  const next = await call("next turn", `/sessions/${id}/turn`, { prompt: "hello", queue: true })
  assert.strictEqual(next.json?.final_text, "hello", `${failed}: ${JSON.stringify(next)}`)
  await untilHolds(`the close is answered after ${failed}`, async () => (await close(id)).status === 200)
  await untilHolds(`no process is left after ${failed}: ${agents().join("; ")}`, async () => agents().length === 0)
}

/** How many calls of each kind a run has in which nothing fails. */
let counts: Partial<Record<Kind, number>>
beforeAll(async () => {
  Faults.countsSince()
  await run()
  counts = Faults.countsSince()
})

/** Fails one call of a run; `null`: the run had fewer calls. */
const failOne = async (kind: Kind, mode: Mode, nth: number) => {
  let failed: string | null = null
  Faults.arm(kind, nth, mode)
  const { answers, id } = await run().finally(() => (failed = Faults.disarm().failed))
  const what = `${kind} ${nth} of about ${counts[kind]} (${mode}): ${failed}`
  for (const answer of answers) assertClear(answer, what)
  await assertWell(id, what)
  return failed
}

const failEach = async (kind: Kind, mode: Mode) => {
  const count = counts[kind] ?? 0
  assert.isAbove(count, 0, `a run has a ${kind}`)
  if (!whole) return void (await failOne(kind, mode, 1 + Math.floor(Math.random() * count)))
  const faults: Array<string> = []
  let nth = 1
  for (let failed: string | null = ""; failed !== null && faults.length < 10; nth += wholeStep) {
    failed = await failOne(kind, mode, nth).catch((error: Error) => {
      faults.push(error.message)
      return ""
    })
  }
  console.log(`${kind}, ${mode}: ${nth - 1} calls, of which every ${wholeStep}. failed in a run of its own`)
  assert.deepStrictEqual(faults, [])
}

const modes: Readonly<Record<Kind, ReadonlyArray<Mode>>> = {
  "ledger write": ["once", "lasting", "damage", "answer lost"],
  "ledger read": ["once", "lasting", "damage"],
  spawn: ["once", "lasting"],
  "stdin write": ["once"],
  "stdout read": ["once"],
  "stderr read": ["once"],
  signal: ["once"],
  // As long as it lasts nothing is taken for ended, so that turns wait: see `processTable.test.ts`.
  "process table": ["once"],
  "file operation": ["once", "lasting"],
  "HTTP write": ["once"]
}

describe("a server in which the nth call fails", { timeout: whole ? 1_200_000 : 60_000 }, () => {
  for (const kind of Faults.kinds) {
    for (const mode of modes[kind]) {
      it(`loses nothing and goes on: ${kind}, ${mode}`, () => failEach(kind, mode))
    }
  }
})
