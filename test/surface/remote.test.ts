/** The surface over the library on a server, and that what comes of it is what comes of the library in one process. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { openTroupe, TroupeError } from "../../src/promise.ts"
import type { Troupe, TroupeOptions } from "../../src/promise.ts"
import { cuttingProxy } from "./cuttingProxy.ts"
import { dataDir } from "./harness.ts"
import { openHttp } from "./http.ts"
import { appSurface, orRefusal } from "./library.ts"
import { surface } from "./suite.ts"
import type { Open } from "./Surface.ts"

const connected = (url: string, token: string) =>
  Effect.acquireRelease(
    Effect.promise(() => openTroupe({ url, token })),
    (troupe) => Effect.promise(() => troupe.close())
  )

const openRemote: Open = (settings) =>
  Effect.gen(function* () {
    const { baseUrl, tokens } = yield* openHttp(settings)
    const admin = yield* connected(baseUrl, tokens.admin)
    return {
      ours: appSurface(yield* connected(baseUrl, tokens.ours)),
      theirs: appSurface(yield* connected(baseUrl, tokens.theirs)),
      sweep: orRefusal(() => admin.sweep()),
      audit: null
    }
  })

surface("over the library on a server", openRemote)

const refusal = async (promise: PromiseLike<unknown>): Promise<TroupeError> => {
  const error = await promise.then(
    () => assert.fail("it should have been refused"),
    (error: unknown) => error
  )
  assert.instanceOf(error, TroupeError)
  return error as TroupeError
}

/** What an app does with a session. It does not know where the session is. */
const script = async (troupe: Troupe) => {
  const session = await troupe.createSession({ permissions: "ask", meta: { ticket: 7 } })
  const asking = session.turn("ask edit")
  let approvals = await session.approvals()
  while (approvals.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    approvals = await session.approvals()
  }
  const [approval] = approvals
  const answered = await session.answer(approval!.id, "once")
  const asked = await asking
  const file = await troupe.storeFile("notes.txt", new TextEncoder().encode("remember"))
  // How many there are depends on which words the agent has said at once.
  const messages = new Set<string>()
  const reading = session.turn("slow 3 1\nhello", { files: [file.id] })
  for await (const message of reading) messages.add(message.method ?? Object.keys(message).toSorted().join())
  const read = await reading
  const conversation = await session.runConversation("and now?")
  const controller = new AbortController()
  const hanging = session.turn("hang", { signal: controller.signal })
  const queued = session.turn("waits", { queue: true, signal: AbortSignal.timeout(1) })
  const waited = await queued
  controller.abort()
  const interrupted = await hanging
  const turns = await session.turns({ after: 1, limit: 2 })
  const fork = await session.fork()
  const changed = await session.change({ effort: "high" })
  const page = await troupe.listSessions({ limit: 1 })
  const same = await troupe.session(session.id)
  const first = session.events()[Symbol.asyncIterator]()
  const event = (await first.next()).value
  await first.return?.()
  await fork.close()
  const closed = [await session.close(), await session.close()]
  const late = await refusal(session.turn("too late"))
  return {
    shapes: [session, approval, answered, asked, file, read, conversation, changed, page, page.items[0], event].map(
      (value) => Object.keys(value as object).toSorted()
    ),
    agents: (await troupe.agents()).map(({ capabilities, name }) => [name, capabilities]),
    memories: [await troupe.memories(), await troupe.skills(), await same.reviews()],
    event: [event?.seq, event?.turn, event?.message.method],
    messages: [...messages],
    closed,
    late: [late.code, late.status, late.message],
    kinds: [approval!.kind, approval!.status, answered.decision, answered.status],
    texts: [asked.finalText, conversation.messages.length, conversation.completed],
    read: [read.ok, read.stopReason, read.turnIndex],
    interrupted: [interrupted.interrupted, interrupted.stopReason, waited.interrupted],
    turns: turns.map(({ finalText, turnIndex }) => [turnIndex, finalText.length > 0]),
    count: page.count,
    meta: (await same.view()).meta
  }
}

const options = { defaultAgent: "demo", drainMillis: 100 } as const satisfies TroupeOptions

it.live("a program does the same with the library in its process and on a server", () =>
  Effect.gen(function* () {
    const directory = yield* dataDir
    const { baseUrl, tokens } = yield* openHttp()
    const remote = yield* connected(baseUrl, tokens.ours)
    const [here, there] = yield* Effect.promise(async () => {
      await using troupe = await openTroupe({ ...options, dataDir: directory })
      return [await script(troupe), await script(remote)]
    })
    assert.deepStrictEqual(there, here)
  }).pipe(Effect.scoped)
)

it.live("a connection that breaks costs a turn nothing, and its reader neither", () =>
  Effect.gen(function* () {
    const { baseUrl, tokens } = yield* openHttp()
    yield* Effect.promise(async () => {
      await using proxy = await cuttingProxy(baseUrl)
      await using troupe = await openTroupe({ url: proxy.url, token: tokens.ours })
      const session = await troupe.createSession()
      const turn = session.turn("slow 20 40")
      let count = 0
      for await (const message of turn) {
        assert.isObject(message)
        count += 1
        if (count === 3 || count === 7) proxy.cut()
      }
      const { events, finalText, turnIndex } = await turn
      assert.strictEqual(count, events.length)
      assert.include(finalText, "word20")
      // The answer of the request itself is lost, and it is sent again under a key of the library's own.
      proxy.swallowAnswer()
      assert.strictEqual((await session.turn("hello")).turnIndex, turnIndex + 1)
      assert.strictEqual((await session.turns()).length, 2)
    })
  }).pipe(Effect.scoped)
)

it.live("where there is no server, or no such token, opening says so; what HTTP has not is refused by name", () =>
  Effect.gen(function* () {
    const { baseUrl, tokens } = yield* openHttp()
    const remote = yield* connected(baseUrl, tokens.ours)
    yield* Effect.promise(async () => {
      const nowhere = await refusal(openTroupe({ url: "http://127.0.0.1:65531", token: "x" }))
      assert.strictEqual(nowhere.code, "unreachable")
      assert.match(nowhere.message, /^No Troupe answers at http:\/\/127\.0\.0\.1:65531 \(.*ECONNREFUSED/)
      const stranger = await refusal(openTroupe({ url: baseUrl, token: "nobody" }))
      assert.deepStrictEqual([stranger.code, stranger.status], ["unauthorized", 401])
      const both = { url: baseUrl, token: tokens.ours, dataDir: "x" } as unknown as TroupeOptions
      assert.match((await refusal(openTroupe(both))).message, /^dataDir is not a known option/)
      const session = await remote.createSession()
      assert.deepStrictEqual(
        [(await refusal(session.actor())).code, (await refusal(remote.sweep())).code],
        ["not_supported", "forbidden"]
      )
      assert.throws(() => remote.as("other"), /Open another Troupe with that app's token/)
    })
  }).pipe(Effect.scoped)
)
