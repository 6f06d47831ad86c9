/**
 * Stored steps are enough to rebuild a session: sessions go through every state, and the page's own reducer rebuilds each
 * from its steps alone, to exactly the snapshot in the ledger.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Sessions } from "../../src/services/Sessions.ts"
import type { SessionId } from "../../src/domain/Ids.ts"
import type { Permissions } from "../../src/domain/Permissions.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import { stepDto } from "../../src/inspect/detail/dto.ts"
import { Replay, machineOf } from "../../src/inspect/page/session/model/replay.ts"
import { stateInfo } from "../../machines/session/stateInfo.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import { AgentScript } from "../services/AgentScript.ts"
import { app, ours, until, untilRunning, untilState, withRuntime } from "../services/harness.ts"

const limits = { maxProcesses: 2, restartIntensity: 2, restartPeriodMillis: 120_000, hibernateAfterMillis: 30_000 }

const opened = (permissions: Permissions = "approve_all") =>
  Effect.gen(function* () {
    const sessions = yield* Sessions
    const { id } = yield* sessions.create(app, { permissions })
    const say = (prompt: string) => sessions.submit(ours, id, { prompt, queue: true })
    return { id, say, sessions }
  })

/** Dies until it is parked, is unparked, and works again. */
const dying = Effect.gen(function* () {
  const { id, say, sessions } = yield* opened()
  yield* say("hello")
  yield* untilState(id, "idle.awake")
  yield* say("die")
  yield* untilState(id, "idle.backingOff")
  yield* TestClock.adjust("1 second")
  yield* untilState(id, "idle.awake")
  yield* say("die")
  yield* untilState(id, "idle.backingOff")
  yield* say("die")
  yield* TestClock.adjust("1 second")
  yield* untilState(id, "idle.parked")
  yield* sessions.unpark(id)
  yield* say("hello again")
  yield* untilState(id, "idle.awake")
  return id
})

/** Restarts by itself, but its process does not get ready: it stays in `waking` until that times out. */
const waking = Effect.gen(function* () {
  const { id, say } = yield* opened()
  const script = yield* AgentScript
  yield* say("hello")
  yield* untilState(id, "idle.awake")
  yield* say("die")
  yield* untilState(id, "idle.backingOff")
  script.start = "silent"
  yield* TestClock.adjust("1 second")
  yield* untilState(id, "idle.waking")
  script.start = "ready"
  // A process has 60 s to get ready.
  yield* TestClock.adjust("61 seconds")
  return id
})

const rungs = [
  ["8 seconds", "retiring.asking"],
  ["5 seconds", "retiring.terminating"],
  ["3 seconds", "closed"]
] as const

/** Asks, is interrupted, does not react, is retired by force, and is closed. */
const deaf = Effect.gen(function* () {
  const { id, say, sessions } = yield* opened("ask")
  const script = yield* AgentScript
  yield* say("approvals execute edit")
  yield* until(
    `both requests of ${id}`,
    Effect.map(sessions.approvals(ours, id), ({ length }) => length === 2)
  )
  const [first, second] = yield* sessions.approvals(ours, id)
  yield* sessions.answer(ours, id, first?.id ?? "", "once")
  yield* sessions.answer(ours, id, second?.id ?? "", "deny")
  yield* untilState(id, "idle.awake")
  yield* say("hang")
  yield* say("waits in line")
  yield* untilRunning(id)
  script.isUnresponsive = true
  yield* Effect.forkScoped(sessions.close(ours, id))
  yield* untilState(id, "turning.interrupting")
  for (const [within, rung] of rungs) {
    yield* TestClock.adjust(within)
    yield* untilState(id, rung)
  }
  script.isUnresponsive = false
  return id
})

/** Is silent after a tool, is probed, and answers. */
const silent = Effect.gen(function* () {
  const { id, say } = yield* opened()
  yield* say("tool")
  yield* untilRunning(id)
  yield* TestClock.adjust(defaultLimits.postToolQuietMillis)
  yield* untilState(id, "idle.awake")
  return id
})

/** Waits for a slot while two others hold both, and then sleeps. */
const crowded = Effect.gen(function* () {
  const [one, two, three] = [yield* opened(), yield* opened(), yield* opened()]
  yield* one.say("hang")
  yield* two.say("hang")
  // The sessions before these are idle: each gives up its slot, by both deadlines of a retirement.
  yield* TestClock.adjust("8 seconds")
  yield* untilRunning(one.id)
  yield* untilRunning(two.id)
  yield* three.say("hello")
  yield* untilState(three.id, "turning.queued")
  yield* Effect.forkScoped(one.sessions.interrupt(ours, one.id))
  yield* untilState(one.id, "retiring.asking")
  yield* TestClock.adjust("8 seconds")
  yield* untilState(three.id, "idle.awake")
  yield* TestClock.adjust(limits.hibernateAfterMillis + 8_000)
  yield* untilState(three.id, "idle.asleep")
  return [one.id, two.id, three.id]
})

const replayed = Effect.fnUntraced(function* (id: SessionId) {
  const ledger = yield* Ledger
  const steps = (yield* ledger.steps(id, 0, 1_000)).map(stepDto)
  const machine = machineOf({
    pool_wait_millis: defaultLimits.poolWaitMillis,
    hibernate_after_millis: limits.hibernateAfterMillis,
    restart_intensity: limits.restartIntensity,
    restart_period_millis: limits.restartPeriodMillis
  })
  const replay = new Replay(machine)
  // As it comes over the wire.
  replay.append(JSON.parse(JSON.stringify(steps)) as typeof steps)
  const rebuilt = JSON.parse(JSON.stringify(machine.getPersistedSnapshot(replay.at(steps.length)))) as unknown
  return { steps, replay, rebuilt, stored: yield* ledger.snapshot(id) }
})

describe("a replay of stored steps", () => {
  it.effect("ends in the stored snapshot, whatever states the session went through", () =>
    Effect.gen(function* () {
      const ids = [yield* dying, yield* waking, yield* deaf, yield* silent, ...(yield* crowded)]
      const visited = new Set<string>()
      for (const id of ids) {
        const { rebuilt, replay, steps, stored } = yield* replayed(id)
        assert.deepStrictEqual(rebuilt, stored)
        assert.deepStrictEqual(
          replay.steps.flatMap(({ drift }) => drift ?? []),
          []
        )
        for (const { from, to } of steps) visited.add(from).add(to)
      }
      assert.deepStrictEqual(
        Object.keys(stateInfo).filter((state) => !visited.has(state)),
        []
      )
    }).pipe(withRuntime(limits))
  )
})
