/** What needs a person, of a whole Troupe with real agents: by the API, for the admin and for an app, and by webhook. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import process from "node:process"
import type { AttentionItem, Attentions } from "../../src/inspect/fleetContract.ts"
import { adminToken, csrf, open, scratch } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"
import { detailOf } from "./sessionApi.ts"

const limits = {
  attentionAskedMillis: 0,
  attentionQueuedMillis: 0,
  attentionSilentMillis: 40,
  poolWaitMillis: 60_000,
  restartIntensity: 0
}

const attentionOf = (troupe: RunningTroupe, token: string) =>
  Effect.map(troupe.call("/inspect/api/attention", { token }), ({ json }) => json as Attentions)

/** Until the kinds are these, oldest first. */
const until = (troupe: RunningTroupe, token: string, isIt: (items: ReadonlyArray<AttentionItem>) => boolean) =>
  Effect.gen(function* () {
    while (true) {
      const { items } = yield* attentionOf(troupe, token)
      if (isIt(items)) return items
      yield* Effect.sleep("20 millis")
    }
  })
const isOf =
  (kind: string, session: string) =>
  (items: ReadonlyArray<AttentionItem>): boolean =>
    items.some((item) => item.kind === kind && item.session_id === session)

const begin = (troupe: RunningTroupe, token: string, id: string, prompt: string) =>
  troupe.call(`/sessions/${id}/turn`, { token, body: { prompt, wait: false } })

describe("what needs a person", () => {
  it.live(
    "is a question, a parked session, a failed turn, a silence and a turn in line, each until it is dealt with",
    () =>
      Effect.gen(function* () {
        const troupe = yield* open({ limits: { ...limits, maxProcesses: 3 } })
        const ours = yield* troupe.mint("ours")
        const theirs = yield* troupe.mint("theirs")
        const act = (path: string, body: object = {}) =>
          troupe.call(`/inspect/api/sessions/${path}`, { token: adminToken, headers: csrf, body })

        const failing = yield* troupe.create(ours)
        yield* troupe.turn(ours, failing, "fail model")
        const dying = yield* troupe.create(theirs)
        yield* troupe.turn(theirs, dying, "crash 3")
        yield* until(troupe, adminToken, isOf("failed", failing))
        const found = yield* until(troupe, adminToken, isOf("parked", dying))
        assert.deepStrictEqual(
          found.map(({ kind }) => kind),
          ["failed", "parked"]
        )
        assert.deepInclude(found[0], {
          name: "fail model",
          session_id: failing,
          app: "ours",
          agent: "demo",
          turn: 1,
          actions: ["close"]
        })
        assert.deepInclude(found[1], { session_id: dying, app: "theirs", actions: ["unpark", "close"] })
        assert.include(found[1]?.what, "exit code 3")
        // An app sees its own, and may not unpark.
        assert.deepStrictEqual(
          (yield* attentionOf(troupe, ours)).items.map(({ session_id }) => session_id),
          [failing]
        )
        assert.deepStrictEqual((yield* attentionOf(troupe, theirs)).items[0]?.actions, ["close"])

        const asking = yield* troupe.create(ours, { permissions: "ask" })
        yield* begin(troupe, ours, asking, "ask-tool echo hi")
        const question = (yield* until(troupe, ours, isOf("asked", asking))).find(({ kind }) => kind === "asked")
        assert.deepInclude(question, { session_id: asking, actions: ["allow", "deny"] })
        assert.include(question?.what, "echo hi")

        const hanging = yield* troupe.create(ours)
        yield* begin(troupe, ours, hanging, "hang")
        yield* until(troupe, ours, isOf("silent", hanging))

        // The places are taken by these two and by a third one.
        const third = yield* troupe.create(ours)
        yield* begin(troupe, ours, third, "hang")
        yield* until(troupe, ours, isOf("silent", third))
        const { pid } = (yield* detailOf(troupe, ours, third)).process
        process.kill(pid!, "SIGSTOP")
        const halted = yield* until(troupe, ours, (items) => items.some(({ what }) => what.includes("is stopped")))
        assert.include(
          halted.find(({ session_id }) => session_id === third)?.what,
          `Its agent's process, ${pid}, is stopped (state T, as by SIGSTOP)`
        )
        process.kill(pid!, "SIGCONT")
        const waiting = yield* troupe.create(ours)
        yield* begin(troupe, ours, waiting, "hello")
        yield* until(troupe, ours, isOf("queued", waiting))

        yield* act(`${asking}/approvals/${question?.approval_id}`, { decision: "once" })
        yield* act(`${hanging}/interrupt`)
        yield* act(`${third}/interrupt`)
        yield* act(`${dying}/unpark`)
        yield* act(`${failing}/close`)
        // What is left of the one that was unparked is its failed turn.
        yield* until(troupe, adminToken, (items) => items.every(({ session_id }) => session_id === dying))
        assert.deepStrictEqual((yield* attentionOf(troupe, ours)).items, [])
      }).pipe(Effect.scoped)
  )

  it.live("is a turn whose outcome a restart left unknown", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratch
      const id = yield* Effect.gen(function* () {
        const troupe = yield* open({ dataDir, limits })
        const ours = yield* troupe.mint("ours")
        const session = yield* troupe.create(ours)
        yield* begin(troupe, ours, session, "hang hard")
        yield* until(troupe, adminToken, isOf("silent", session))
        return session
      }).pipe(Effect.scoped)
      const troupe = yield* open({ dataDir, limits })
      const [item] = yield* until(troupe, adminToken, isOf("unknown", id))
      assert.include(item?.what, "its outcome is not known")
    }).pipe(Effect.scoped)
  )

  it.live("is a kind of agent that is not started, for the admin alone", () =>
    Effect.gen(function* () {
      const broken = { protocol: "acp", command: [process.execPath, "-e", "process.exit(7)"] } as const
      const troupe = yield* open({ agents: { broken }, limits: { ...limits, restartIntensity: 100 } })
      const ours = yield* troupe.mint("ours")
      for (let nth = 0; nth < 5; nth++) {
        const id = yield* troupe.create(ours, { agent: "broken" })
        yield* troupe.turn(ours, id, "hello")
      }
      const [first] = yield* until(troupe, adminToken, ([item]) => item?.kind === "circuit")
      assert.deepInclude(first, { session_id: null, agent: "broken", actions: [] })
      assert.isTrue((yield* attentionOf(troupe, ours)).items.every(({ kind }) => kind === "failed"))
    }).pipe(Effect.scoped)
  )
})
