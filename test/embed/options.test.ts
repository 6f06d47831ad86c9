/** The options of the library: those that do not exist are refused by their path, and so are impossible timeouts. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { defaultLimits } from "../../src/domain/Settings.ts"
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

describe("the values of the library's options", () => {
  const openRefused = async (options: object) =>
    (await refusal(openTroupe(untyped({ dataDir: ":memory:", ...options }))))[1]

  it("are those of the configuration file, with the same bounds, in one sentence", async () => {
    assert.strictEqual(
      await openRefused({ limits: { maxProcesses: -1 } }),
      "limits.maxProcesses is -1: it takes a whole number from 1 to 10000."
    )
    assert.match(
      await openRefused({ limits: { poolWaitMillis: -5 } }),
      /^limits\.poolWaitMillis is -5 milliseconds: it takes a duration such as "30 seconds"/
    )
    assert.match(
      await openRefused({ limits: { maxBodyBytes: 3 } }),
      /^limits\.maxBodyBytes is 3 bytes: it takes a size from 1 KiB/
    )
    assert.match(
      await openRefused({ limits: { turnTimeoutMillis: null } }),
      /^limits\.turnTimeoutMillis is null: it takes/
    )
    assert.match(
      await openRefused({ limits: { turnTimeoutMillis: "soon" } }),
      /^limits\.turnTimeoutMillis is "soon": it/
    )
    assert.match(
      await openRefused({ agents: { mine: { protocol: "carrier-pigeon" } } }),
      /^agents\.mine\.protocol: Expected "codex-app-server" \| "acp" \| "acpx", got "carrier-pigeon"\.$/
    )
    assert.match(
      await openRefused({ agents: { mine: { protocol: "acp" } } }),
      /^agents\.mine does not say what to launch/
    )
    assert.match(await openRefused({ mcpServers: { tickets: {} } }), /^mcpServers\.tickets/)
    assert.match(
      await openRefused({ reviews: { intervals: { memory: -1 } } }),
      /^reviews\.memoryInterval is -1: it takes/
    )
    assert.match(await openRefused({ adminToken: "short" }), /^adminToken is not usable: it takes at least 16/)
    assert.match(await openRefused({ drainMillis: -1 }), /^drainMillis is -1: it takes milliseconds from 0/)
    assert.match(await openRefused({ limits: 7 }), /^limits is 7: it takes an object/)
    assert.match(await openRefused({ app: "No Name" }), /^app is "No Name"/)
  })

  it("of a limit that can be off take null, and every limit has its setting in the file", async () => {
    await using troupe = await openTroupe({
      dataDir: ":memory:",
      defaultAgent: "demo",
      limits: { ...defaultLimits, sessionTtlMillis: null, maxSessionRssBytes: null, maxFileBytes: 4096, warmSpares: 0 }
    })
    const error = await refusal(troupe.storeFile("long.txt", new Uint8Array(5_000)))
    assert.strictEqual(error[0], "file_too_large")
  })

  it("of sessions and turns are checked by the contract of HTTP", async () => {
    await using troupe = await openTroupe({ dataDir: ":memory:", defaultAgent: "demo", drainMillis: 100 })
    const created = async (request: Readonly<Record<string, unknown>>) =>
      (await refusal(troupe.createSession(untyped(request))))[1]
    assert.match(await created({ permissions: true }), /^permissions must be/)
    assert.match(await created({ permissions: { default: "yes", rules: [] } }), /^permissions\.default must be/)
    assert.match(await created({ cwd: 7 }), /^cwd must be a string|^cwd must be string/)
    assert.match(await created({ env: { A: 1 } }), /^env\.A must be string/)
    const session = await troupe.createSession()
    const turned = async (prompt: unknown, options: Readonly<Record<string, unknown>> = {}) =>
      (await refusal(session.turn(prompt as string, untyped(options))))[1]
    assert.match(await turned(42), /^prompt must be text/)
    assert.match(await turned("hello", { model: 7 }), /^model must be string/)
    assert.match(await turned("hello", { queue: "yes" }), /^queue must be boolean/)
    const changed = await refusal(session.change(untyped({ permissions: true }) as { readonly model?: string }))
    assert.match(changed[1], /^permissions must be/)
    assert.strictEqual((await session.view()).turnCount, 0)
  })
})
