/** A session of the agent `fixtures/agents/hostile.ts` below a whole runtime, and the processes that it starts. */
import { assert } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import type { Limits } from "../../src/domain/Settings.ts"
import { openTroupe } from "../../src/promise.ts"
import type { Session, TurnOutcome } from "../../src/promise.ts"
import { fixture } from "../agent/child.ts"

export const whole = process.env["RELIABILITY"] === "whole"
export const amount = (short: number, most: number) => (whole ? most : short)
export const withinMillis = whole ? 900_000 : 60_000

export interface Hostile {
  readonly session: Session
  /** Every process of this test's agents, by what is on its command line. */
  readonly processes: () => ReadonlyArray<string>
  /** Those that the agent has started. */
  readonly sleepers: () => number
  /** The next turn works, whatever the last one did. */
  readonly assertWorks: () => Promise<void>
}

/** Runs a test with a session of its own in a Troupe of its own, after which no process is left. */
export const withAgent = async (
  { handshake = "", limits = {} }: { readonly handshake?: string; readonly limits?: Partial<Limits> },
  body: (hostile: Hostile) => Promise<void>
) => {
  // `sleep` takes any number, and no other program sleeps for this one.
  const token = `3600.${Math.floor(Math.random() * 1e9)}1`
  const troupe = await openTroupe({
    dataDir: ":memory:",
    agents: { hostile: { protocol: "acp", command: [process.execPath, fixture("hostile"), token, handshake] } },
    defaultAgent: "hostile",
    drainMillis: 200,
    limits
  })
  const processes = () => commandsWith(token)
  try {
    const session = await troupe.createSession()
    await body({
      session,
      processes,
      sleepers: () => processes().filter((command) => /^\S*sleep /.test(command)).length,
      assertWorks: async () =>
        assert.deepStrictEqual(summary(await session.turn("hello", { queue: true })), ["completed", "hello"])
    })
  } finally {
    await troupe.close()
  }
  assert.deepStrictEqual(processes(), [], "a process is left")
}

const commandsWith = (token: string): ReadonlyArray<string> =>
  readdirSync("/proc").flatMap((pid) => {
    if (!/^[0-9]+$/.test(pid)) return []
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim()
      return command.includes(token) ? [command] : []
    } catch {
      return []
    }
  })

export const statusOf = ({ completed, errorClass }: TurnOutcome) => (completed ? "completed" : errorClass)
export const summary = (outcome: TurnOutcome) => [statusOf(outcome), outcome.finalText]

export const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

export const untilTrue = async (what: string, holds: () => boolean | Promise<boolean>) => {
  for (const until = Date.now() + 20_000; !(await holds()); await pause(50)) {
    assert.isBelow(Date.now(), until, `${what} did not happen within 20 s`)
  }
}
