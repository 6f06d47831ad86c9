/** The library, used as an app would use it: real processes of the demo agent, real files, nothing of Effect. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { openTroupe, TroupeError } from "../../src/promise.ts"
import type { AcpMessage, StoredEvent, Troupe } from "../../src/promise.ts"

const refusal = async (promise: PromiseLike<unknown>): Promise<TroupeError> => {
  const error = await promise.then(
    () => assert.fail("it should have been refused"),
    (error: unknown) => error
  )
  assert.instanceOf(error, TroupeError)
  return error as TroupeError
}

const textOf = (messages: ReadonlyArray<AcpMessage>): string =>
  messages
    .flatMap((message) => {
      if (!("method" in message) || message.method !== "session/update") return []
      const { content } = message.params.update as { readonly content?: { readonly text?: string } }
      return content?.text ?? []
    })
    .join("")

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe("the library", () => {
  let troupe: Troupe
  beforeEach(async () => {
    troupe = await openTroupe({ dataDir: ":memory:", defaultAgent: "demo", drainMillis: 500 })
  })
  afterEach(() => troupe.close())

  it("resolves a turn to its outcome, and iterates it as its messages", async () => {
    const session = await troupe.createSession({ agent: "demo", meta: { ticket: 7 } })
    const turn = session.turn("slow 3 1\nhello")
    const messages: Array<AcpMessage> = []
    for await (const message of turn) messages.push(message)
    const outcome = await turn
    assert.isTrue(outcome.ok)
    assert.strictEqual(outcome.stopReason, "end_turn")
    assert.match(outcome.finalText, /You said: hello \(turn 1\)/)
    assert.deepStrictEqual(textOf(messages), textOf(outcome.events))
    assert.deepStrictEqual(messages.at(-1), outcome.events.at(-1))
    assert.deepStrictEqual((await session.view()).meta, { ticket: 7 })
    assert.deepStrictEqual(
      (await session.turns()).map(({ turnIndex }) => turnIndex),
      [1]
    )
  })

  it("carries on with the conversation after an agent's process was killed", async () => {
    const session = await troupe.createSession()
    await session.turn("Remember 42.")
    const { pid } = (await session.view()).process
    assert.isNumber(pid)
    process.kill(pid!, "SIGKILL")
    for await (const { message } of session.events()) {
      if ("method" in message && message.method === "_troupe/state" && message.params["to"] === "idle.backingOff") break
    }
    assert.strictEqual((await session.turn("recall")).finalText, '["Remember 42."]')
    assert.notStrictEqual((await session.view()).process.pid, pid)
  })

  it("returns an agent's failure as an outcome, and rejects with a refusal's code", async () => {
    const failed = await (await troupe.createSession()).turn("fail auth")
    assert.isFalse(failed.ok)
    assert.match(failed.error ?? "", /^auth: /)

    const session = await troupe.createSession()
    const running = session.turn("hang")
    const busy = await refusal(session.turn("another"))
    assert.deepInclude({ ...busy }, { code: "turn_in_progress", status: 409 })
    assert.match(busy.message, /is running/)
    assert.isTrue(await session.interrupt())
    assert.isTrue((await running).interrupted)

    await session.close()
    assert.isTrue((await session.close()).alreadyClosed)
    const closed = await refusal(session.turn("too late"))
    assert.strictEqual(closed.code, "session_closed")
    const unread = session.turn("too late, and only read along")
    const iteration = unread[Symbol.asyncIterator]()
    assert.strictEqual((await refusal(iteration.next())).code, "session_closed")
    assert.strictEqual((await refusal(troupe.createSession({ agent: "nobody" }))).code, "unknown_agent")
  })

  it("interrupts a turn by its signal, and removes its listener afterwards", async () => {
    const session = await troupe.createSession()
    const controller = new AbortController()
    const turn = session.turn("hang", { signal: controller.signal })
    for await (const event of session.events()) if (event.turn === 1) break
    controller.abort()
    const outcome = await turn
    assert.strictEqual(outcome.stopReason, "cancelled")
    assert.isTrue((await session.turn("still here")).ok)
  })

  it("shows an app its own sessions only", async () => {
    const session = await troupe.createSession()
    const other = troupe.as("other")
    assert.strictEqual((await refusal(other.session(session.id))).code, "session_not_found")
    assert.strictEqual((await other.listSessions()).count, 0)
    assert.strictEqual((await troupe.listSessions({ state: "open" })).count, 1)
    assert.throws(() => troupe.as("No Name"), /it takes 1 to 63 characters/)
  })

  it("puts a stored file's path in front of the prompt", async () => {
    const session = await troupe.createSession()
    const file = await troupe.storeFile("notes.txt", new TextEncoder().encode("remember"))
    const { finalText } = await session.turn("read it", { files: [file.id] })
    assert.include(finalText, `/${file.id}/`)
  })

  it("leaves no process when it is closed, and a turn that runs then ends as interrupted", async () => {
    const session = await troupe.createSession()
    await session.turn("warm up")
    const { pid } = (await session.view()).process
    const idle = await troupe.createSession()
    await idle.turn("stay")
    const turn = session.turn("slow 400 50")
    for await (const message of turn) if (message) break
    await troupe.close()
    assert.isTrue((await turn).interrupted)
    assert.isFalse(isAlive(pid!))
  })
})

describe("a data dir of the library", () => {
  let dataDir: string
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "troupe-embed-"))
  })
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

  it("keeps sessions from one process to the next", async () => {
    const options = { dataDir, defaultAgent: "demo", drainMillis: 1_000 }
    let id: string
    {
      await using first = await openTroupe(options)
      const session = await first.createSession()
      await session.turn("Remember 42.")
      id = session.id
    }
    await using second = await openTroupe(options)
    const session = await second.session(id)
    assert.strictEqual((await session.turn("recall")).finalText, '["Remember 42."]')
    const events: Array<StoredEvent> = []
    await session.close()
    for await (const event of session.events()) events.push(event)
    assert.deepStrictEqual(
      events.map(({ seq }) => seq),
      events.map((_, nth) => nth + 1)
    )
  })

  it("belongs to one Troupe at a time, and is released when that one is closed", async () => {
    const first = await openTroupe({ dataDir, defaultAgent: "demo" })
    const refused = await refusal(openTroupe({ dataDir, defaultAgent: "demo" }))
    assert.include(refused.message, `held by the Troupe with pid ${process.pid}`)
    await first.close()
    await (await openTroupe({ dataDir, defaultAgent: "demo" })).close()
  })

  it("is logged about to the log function, and an error says why it can't be opened", async () => {
    const lines: Array<string> = []
    const refused = await refusal(openTroupe({ dataDir, defaultAgent: "nobody", log: (line) => lines.push(line) }))
    assert.match(refused.message, /nobody/)
    const troupe = await openTroupe({ dataDir, defaultAgent: "demo", log: (line) => lines.push(line) })
    await (await troupe.createSession()).turn("hello")
    await troupe.close()
    for (const line of lines) assert.isObject(JSON.parse(line))
    assert.match(lines.join("\n"), /drained in/)
  })
})
