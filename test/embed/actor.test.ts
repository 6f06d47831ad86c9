/** A session as an XState actor in an app's program: XState's own functions, with real processes that are killed. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { useSelector as useSelectorOfReact } from "@xstate/react"
import { setTimeout as sleep } from "node:timers/promises"
import { createElement } from "react"
import { act, create } from "react-test-renderer"
import type { ReactTestRenderer } from "react-test-renderer"
import { createActor, sendTo, setup, toPromise, waitFor } from "xstate"
import { openTroupe } from "../../src/promise.ts"
import type { SessionActorRef, SessionRequest, Troupe } from "../../src/promise.ts"

const within = { timeout: 20_000 }

interface BossContext {
  readonly session: SessionActorRef
}

const nameOf = ({ value }: ReturnType<SessionActorRef["getSnapshot"]>): string =>
  typeof value === "string"
    ? value
    : Object.entries(value as object)
        .flat()
        .join(".")

/** Reads a store as React's `useSyncExternalStore` does, which is all that `useSelector` of @xstate/react uses. */
const useSelector = <T>(
  actor: SessionActorRef,
  select: (snapshot: ReturnType<SessionActorRef["getSnapshot"]>) => T
) => {
  const rendered: Array<T> = []
  const render = () => {
    const selected = select(actor.getSnapshot())
    assert.strictEqual(actor.getSnapshot(), actor.getSnapshot(), "a snapshot that is new at each look renders for ever")
    if (rendered.length === 0 || !Object.is(rendered.at(-1), selected)) rendered.push(selected)
  }
  render()
  const { unsubscribe } = actor.subscribe(render)
  return { rendered, unmount: unsubscribe }
}

describe("session.actor()", () => {
  let troupe: Troupe
  let log: Array<string>
  beforeEach(async () => {
    log = []
    troupe = await openTroupe({
      dataDir: ":memory:",
      defaultAgent: "demo",
      drainMillis: 500,
      log: (line) => log.push(line)
    })
  })
  afterEach(() => troupe.close())

  it("shows a turn start and end, to waitFor and to a subscriber", async () => {
    const session = await troupe.createSession()
    const actor = await session.actor()
    assert.strictEqual(actor.id, session.id)
    assert.strictEqual(nameOf(actor.getSnapshot()), "idle.asleep")
    assert.strictEqual(await session.actor(), actor)
    const store = useSelector(actor, nameOf)
    const running = waitFor(actor, (snapshot) => snapshot.matches({ turning: "running" }), within)
    await session.turn("hello")
    assert.strictEqual((await running).context.turn, 1)
    assert.strictEqual(nameOf(actor.getSnapshot()), "idle.awake")
    store.unmount()
    assert.deepStrictEqual(store.rendered, [
      "idle.asleep",
      "turning.queued",
      "turning.starting",
      "turning.running",
      "idle.awake"
    ])
    assert.isTrue(actor.getSnapshot().can({ type: "hibernate.requested", reason: "" }))
  })

  it("works with useSelector of @xstate/react", async () => {
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true })
    const session = await troupe.createSession()
    const actor = await session.actor()
    const drawn: Array<string> = []
    const Badge = () => {
      const state = useSelectorOfReact(actor, nameOf)
      drawn.push(state)
      return createElement("b", null, state)
    }
    let root!: ReactTestRenderer
    await act(async () => void (root = create(createElement(Badge))))
    await act(async () => void (await session.turn("hello")))
    assert.deepStrictEqual(root.toJSON(), { type: "b", props: {}, children: ["idle.awake"] })
    await act(async () => void (await session.close()))
    assert.deepStrictEqual(root.toJSON(), { type: "b", props: {}, children: ["closed"] })
    assert.strictEqual(drawn[0], "idle.asleep")
    await act(async () => root.unmount())
  })

  it("outlives a killed process, hibernation and wake, and is done when the session is closed", async () => {
    const session = await troupe.createSession()
    const actor = await session.actor()
    const { rendered } = useSelector(actor, nameOf)
    const closed = toPromise(actor)
    await session.turn("hello")
    process.kill((await session.view()).process.pid!, "SIGKILL")
    await waitFor(actor, (snapshot) => snapshot.matches({ idle: "backingOff" }), within)
    await waitFor(actor, (snapshot) => snapshot.matches({ idle: "awake" }), within)
    assert.includeMembers(rendered, ["retiring.killing", "idle.backingOff", "idle.waking"])

    actor.send({ type: "hibernate.requested" })
    const asleep = await waitFor(actor, (snapshot) => snapshot.matches({ idle: "asleep" }), within)
    assert.strictEqual(asleep.context.reason, "put to sleep by embedded")
    await session.turn("again")
    assert.strictEqual(actor.getSnapshot().context.turn, 2)
    assert.strictEqual(await session.actor(), actor)

    actor.send({ type: "close.requested", reason: "no longer needed" })
    await closed
    assert.strictEqual(actor.getSnapshot().status, "done")
    assert.strictEqual((await session.view()).state, "closed")
    // The actor of a session that is already closed is done, too.
    const late = await session.actor()
    await toPromise(late)
    assert.isTrue(late.getSnapshot().matches("closed"))
  })

  it("interrupts the running turn when it is sent, from another machine too", async () => {
    const session = await troupe.createSession()
    const actor = await session.actor()
    const turn = session.turn("hang")
    await waitFor(actor, (snapshot) => snapshot.matches({ turning: "running" }), within)
    const boss = setup({ types: { context: {} as BossContext, input: {} as BossContext } }).createMachine({
      context: ({ input }) => input,
      entry: sendTo(({ context }) => context.session, { type: "interrupt.requested", reason: "enough" })
    })
    createActor(boss, { input: { session: actor } }).start()
    assert.isTrue((await turn).interrupted)
    assert.strictEqual(actor.getSnapshot().context.turn, 1)
  })

  it("ignores events that the state refuses, or that an app may not send", async () => {
    const session = await troupe.createSession()
    const actor = await session.actor()
    const before = actor.getSnapshot()
    actor.send({ type: "interrupt.requested" })
    actor.send({ type: "unpark.requested" })
    actor.send({ type: "process.exited" } as unknown as SessionRequest)
    actor.send({ type: "turn.submitted", turn: 9 } as unknown as SessionRequest)
    await session.turn("hello")
    assert.strictEqual(before.context.turn, 0)
    assert.strictEqual(actor.getSnapshot().context.turn, 1)
    assert.strictEqual((await session.view()).process.restarts, 0)
    assert.isTrue(log.some((line) => line.includes("process.exited can't be sent")))
  })

  it("lets a subscriber throw without ending the session, its neighbours or the process", async () => {
    const session = await troupe.createSession()
    const actor = await session.actor()
    actor.subscribe(() => {
      throw new Error("a listener's own fault")
    })
    const { rendered } = useSelector(actor, nameOf)
    assert.isTrue((await session.turn("hello")).ok)
    // XState would rethrow the error in a timer.
    await sleep(5)
    assert.strictEqual(rendered.at(-1), "idle.awake")
    assert.isTrue(log.some((line) => line.includes("a listener's own fault")))
  })

  it("rejects those who wait for the session's end when Troupe is closed first", async () => {
    const actor = await (await troupe.createSession()).actor()
    const closed = toPromise(actor).then(
      () => "closed",
      (error: Error) => error.message
    )
    const unwatched = await (await troupe.createSession()).actor()
    await troupe.close()
    assert.match(await closed, /This Troupe was closed/)
    assert.isTrue(unwatched.getSnapshot().matches({ idle: "asleep" }))
  })

  it("is not available to another app", async () => {
    const session = await troupe.createSession()
    const other = troupe.as("other")
    const code = await other.session(session.id).then(
      () => assert.fail("it is not theirs"),
      (error: { readonly code: string }) => error.code
    )
    assert.strictEqual(code, "session_not_found")
  })
})
