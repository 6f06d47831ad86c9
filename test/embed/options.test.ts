/** The options of the library: those that do not exist are refused by their path, and so are impossible timeouts. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { openTroupe, TroupeError } from "../../src/promise.ts"
import type { Session, Troupe } from "../../src/promise.ts"

const refusal = async (promise: PromiseLike<unknown>): Promise<readonly [string, string]> => {
  const error = await promise.then(
    () => assert.fail("it should have been refused"),
    (error: unknown) => error
  )
  assert.instanceOf(error, TroupeError)
  const { code, message } = error as TroupeError
  return [code, message]
}

/** As a program without types has it. */
const untyped = (options: Readonly<Record<string, unknown>>): object => options

const meant = (path: string, name: string) =>
  ["invalid_request", `${path} is not a known option (did you mean \`${name}\`?).`] as const

describe("the library's options", () => {
  let troupe: Troupe
  let session: Session
  beforeAll(async () => {
    troupe = await openTroupe({ dataDir: ":memory:", defaultAgent: "demo", drainMillis: 500 })
    session = await troupe.createSession()
  })
  afterAll(() => troupe.close())

  it("are refused where openTroupe has none of that name, before anything is opened", async () => {
    const openRefused = (options: object) => refusal(openTroupe(options))
    assert.deepStrictEqual(await openRefused(untyped({ datadir: "x" })), meant("datadir", "dataDir"))
    assert.deepStrictEqual(
      await openRefused(untyped({ limits: { maxProcesess: 4 } })),
      meant("limits.maxProcesess", "maxProcesses")
    )
    assert.deepStrictEqual(
      await openRefused(untyped({ agents: { mine: { protocol: "acp", comand: ["x"] } } })),
      meant("agents.mine.comand", "command")
    )
    assert.deepStrictEqual(
      await openRefused(untyped({ reviews: { bounds: { iteration: 1 } } })),
      meant("reviews.bounds.iteration", "iterations")
    )
  })

  it("are refused where createSession has none of that name, also within a rule", async () => {
    const createRefused = (options: object) => refusal(troupe.createSession(options))
    assert.deepStrictEqual(await createRefused(untyped({ permission: "ask" })), meant("permission", "permissions"))
    assert.deepStrictEqual(
      await createRefused(untyped({ system_prompt: "Be brief." })),
      meant("system_prompt", "systemPrompt")
    )
    // oxlint-disable-next-line unicorn/no-thenable -- the key of a rule
    const rule = { match: { commands: ["ls"] }, then: "approve" }
    assert.deepStrictEqual(
      await createRefused(untyped({ permissions: { default: "deny", rules: [rule] } })),
      meant("permissions.rules[0].match.commands", "command")
    )
    const { id } = await troupe.createSession({ meta: { any: { key: 1 } }, permissions: "deny", cwd: undefined })
    assert.include(id, "ses_")
  })

  it("are refused where a turn, a run or a query has none of that name", async () => {
    const expected = meant("timeout_s", "timeoutMillis")
    assert.deepStrictEqual(await refusal(session.turn("hello", untyped({ timeout_s: 1 }))), expected)
    assert.deepStrictEqual(await refusal(troupe.run("hello", untyped({ timeout_s: 1 }))), expected)
    assert.deepStrictEqual(await refusal(troupe.listSessions(untyped({ limt: 1 }))), meant("limt", "limit"))
    const change = session.change(untyped({ permission: "ask" }) as { readonly model?: string })
    assert.deepStrictEqual(await refusal(change), meant("permission", "permissions"))
    assert.deepStrictEqual(await refusal(session.turns(untyped({ aftr: 1 }))), meant("aftr", "after"))
    const events = session.events(untyped({ aftr: 1 }))[Symbol.asyncIterator]()
    assert.deepStrictEqual(await refusal(events.next()), meant("aftr", "after"))
    const { error } = await session.runConversation("hello", untyped({ message: [] }))
    assert.strictEqual(error, "invalid_request: message is not a known option (did you mean `messages`?).")
    assert.strictEqual((await session.view()).turnCount, 0)
  })

  it("take a timeout of more than nothing and at most a day", async () => {
    for (const timeoutMillis of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 86_400_001]) {
      const expected = ["invalid_request", "timeoutMillis must be more than 0 and at most 86400000."] as const
      assert.deepStrictEqual(await refusal(session.turn("hello", { timeoutMillis })), expected)
      assert.deepStrictEqual(await refusal(troupe.run("hello", { timeoutMillis })), expected)
    }
    assert.strictEqual((await session.view()).turnCount, 0)
    assert.isTrue((await session.turn("hello", { timeoutMillis: 86_400_000 })).ok)
  })
})
