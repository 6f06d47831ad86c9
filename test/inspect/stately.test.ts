/** Inspection in Stately's protocol: their own package is the client, over a real server and real processes. */
import { assert, describe, it } from "@effect/vitest"
import { createWebSocketReceiver } from "@statelyai/inspect"
import type { StatelyInspectionEvent } from "@statelyai/inspect"
import { Context, Effect, Exit, Scope } from "effect"
import { setTimeout as sleep } from "node:timers/promises"
import { createMachine } from "xstate"
import type { StateValue } from "xstate"
import { SessionActorRefs } from "../../src/services/SessionActorRefs.ts"
import { adminToken, open, scratch } from "./harness.ts"
import type { RunningTroupe } from "./harness.ts"
import { bearer, connect, ticketOf } from "./statelyClient.ts"

type Received = StatelyInspectionEvent & { readonly snapshot?: { readonly value: unknown; readonly status: string } }

const longest = 20_000

/** What an inspector shows: the last state of each actor that was introduced to it. */
const receive = async (url: string) => {
  const received: Array<Received> = []
  const receiver = createWebSocketReceiver({ server: url })
  receiver.subscribe((event) => received.push(event as Received))
  const picture = () => {
    const actors = new Map<string, unknown>()
    for (const event of received) {
      if (event.type === "@xstate.actor") actors.set(event.sessionId, event.snapshot!.value)
      // An inspector cannot draw an actor that was not introduced.
      else assert.isTrue(actors.has(event.sessionId), `${event.type} of a stranger`)
      if (event.type === "@xstate.snapshot") actors.set(event.sessionId, event.snapshot!.value)
    }
    return actors
  }
  const until = async (wanted: (received: ReadonlyArray<Received>) => boolean) => {
    const end = Date.now() + longest
    while (!wanted(received)) {
      if (Date.now() > end) assert.fail(`not told in time; ${JSON.stringify(received.slice(-5))}`)
      await sleep(10)
    }
  }
  const stateOf = (session: string, value: unknown) =>
    until(() => JSON.stringify(picture().get(session)) === JSON.stringify(value))
  return { told: received, picture, until, stands: stateOf }
}

const watch = (troupe: RunningTroupe, token: string, more = "") =>
  Effect.flatMap(ticketOf(troupe, token), (url) => Effect.promise(() => receive(url + more)))

const events = (received: ReadonlyArray<Received>) =>
  received.flatMap((message) => (message.type === "@xstate.event" ? [message.event.type] : []))

describe("/inspect/stately", () => {
  it.live("sends Stately's own receiver a session's machine, then each event and the snapshot after it", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const token = yield* troupe.mint("desk")
      const id = yield* troupe.create(token)
      const { picture, stands: stateOf, told: received } = yield* watch(troupe, token, `&session=${id}`)
      yield* Effect.promise(() => stateOf(id, { idle: "asleep" }))
      yield* troupe.turn(token, id, "the secret of the prompt")
      yield* Effect.promise(() => stateOf(id, { idle: "awake" }))
      assert.deepStrictEqual(events(received), ["turn.submitted", "slot.granted", "process.ready", "turn.ended"])

      const [first] = received
      assert.strictEqual(first?.type, "@xstate.actor")
      if (first?.type !== "@xstate.actor") return
      assert.deepStrictEqual(first.snapshot.value, { idle: "asleep" })
      const machine = createMachine(JSON.parse(first.definition!))
      for (const value of picture().values()) machine.resolveState({ value: value as StateValue })
      for (const message of received) {
        assert.containSubset(message, { sessionId: id, rootId: id, _version: "0.7.2" })
        assert.match(message.createdAt, /^\d{13}$/)
      }
      assert.notInclude(JSON.stringify(received), "secret of the prompt")
      assert.notInclude(JSON.stringify(received), token)
    }).pipe(Effect.scoped)
  )

  it.live(
    "gives a late inspector the complete picture, and keeps it correct through a kill, sleep, wake, close and restart",
    () =>
      Effect.gen(function* () {
        const dataDir = yield* scratch
        const lifetime = yield* Scope.make()
        const troupe = yield* Scope.provide(open({ dataDir }), lifetime)
        const token = yield* troupe.mint("desk")
        const id = yield* troupe.create(token)
        const asleep = yield* troupe.create(token)
        yield* troupe.turn(token, id, "hello")

        const late = yield* watch(troupe, token)
        yield* Effect.promise(() => late.stands(id, { idle: "awake" }))
        assert.isFalse(late.picture().has(asleep))

        const { json } = yield* troupe.call(`/sessions/${id}`, { token })
        process.kill(json.process.pid, "SIGKILL")
        yield* Effect.promise(() => late.until((received) => events(received).includes("process.gone")))
        yield* Effect.promise(() => late.stands(id, { idle: "awake" }))

        const refs = Context.get(troupe.dashboard, SessionActorRefs)
        const actor = yield* refs.of({ _tag: "Admin" }, id)
        actor.send({ type: "hibernate.requested" })
        yield* Effect.promise(() => late.stands(id, { idle: "asleep" }))
        yield* troupe.turn(token, id, "again")
        yield* Effect.promise(() => late.stands(id, { idle: "awake" }))
        assert.strictEqual(late.told.filter(({ type }) => type === "@xstate.actor").length, 1)

        // A sleeping session is sent where it is asked for by its id.
        const one = yield* watch(troupe, token, `&session=${asleep}`)
        yield* Effect.promise(() => one.stands(asleep, { idle: "asleep" }))
        yield* troupe.call(`/sessions/${asleep}`, { token, method: "DELETE" })
        yield* Effect.promise(() => one.stands(asleep, "closed"))
        assert.strictEqual(one.told.at(-1)?.snapshot?.status, "done")
        assert.deepStrictEqual([...one.picture().keys()], [asleep])
        yield* Scope.close(lifetime, Exit.void)

        const again = yield* open({ dataDir })
        const after = yield* watch(again, token, `&session=${id}`)
        yield* Effect.promise(() => after.stands(id, { idle: "asleep" }))
        yield* again.turn(token, id, "recall")
        yield* Effect.promise(() => after.stands(id, { idle: "awake" }))
      }).pipe(Effect.scoped)
  )

  it.live("sends an app its own sessions only, and the admin all", () =>
    Effect.gen(function* () {
      const troupe = yield* open()
      const [mine, theirs] = [yield* troupe.mint("desk"), yield* troupe.mint("other")]
      const id = yield* troupe.create(mine)
      const watching = yield* watch(troupe, mine)
      const admin = yield* watch(troupe, adminToken)
      const foreign = yield* troupe.create(theirs)
      yield* troupe.turn(theirs, foreign, "hello")
      yield* troupe.turn(mine, id, "hello")
      yield* Effect.promise(() => watching.stands(id, { idle: "awake" }))
      yield* Effect.promise(() => admin.stands(foreign, { idle: "awake" }))
      assert.deepStrictEqual([...watching.picture().keys()], [id])
      assert.isFalse(JSON.stringify(watching.told).includes(foreign))
      for (const session of [foreign, "ses_none", "%00"]) {
        const refused = connect(troupe, `/inspect/stately?session=${session}`, bearer(mine))
        assert.strictEqual(yield* Effect.promise(() => refused.opened), 404)
      }
    }).pipe(Effect.scoped)
  )
})
