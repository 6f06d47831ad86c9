/** Conversations on their way to the ledger and back: by what is new, whole in the end, and never in the way of a turn. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Schedule } from "effect"
import type { Scope } from "effect"
import { TestClock } from "effect/testing"
import { randomBytes } from "node:crypto"
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import type { AgentDriver } from "../../src/agent/Agent.ts"
import { noCapabilities } from "../../src/agent/Capabilities.ts"
import * as ClaudeFiles from "../../src/agent/acp/conversationFiles.ts"
import * as CodexFiles from "../../src/agent/codex/conversationFiles.ts"
import { Processes } from "../../src/agent/Processes.ts"
import { SessionId } from "../../src/domain/Ids.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import type { Homes, Limits } from "../../src/domain/Settings.ts"
import { Ledger, LedgerError } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { DrainState } from "../../src/runtime/DrainState.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import { ThisNode } from "../../src/runtime/ThisNode.ts"
import type { SessionPort } from "../../src/session/CommandHandler.ts"
import * as Capsules from "../../src/supervision/Capsules.ts"
import type { Conversation } from "../../src/supervision/Capsules.ts"
import { app, opened, otherApp, scratch, session } from "../ledger/samples.ts"

const thread = "01a1f884-ebd6-72a3-bc5b-ac83939bb715"
const path = `sessions/2026/11/20/rollout-2026-11-20T10-33-43-${thread}.jsonl`
const record = session()

interface Given {
  readonly homes?: Homes
  readonly limits?: Partial<Limits>
}

/** A ledger with a session, and an agent whose home can be another one's. */
const onLedger = <A, E>(
  test: Effect.Effect<A, E, Ledger | ThisNode | RuntimeSettings | Scope.Scope>,
  { homes = "capsule", limits = {} }: Given = {}
) =>
  Effect.andThen(
    Ledger.use((ledger) => ledger.write([opened()])),
    test
  ).pipe(
    Effect.provide(
      ThisNode.layer.pipe(
        Layer.provideMerge(DrainState.layer),
        Layer.provideMerge(SqliteLedger.layer(":memory:")),
        Layer.provideMerge(Processes.layer),
        Layer.provideMerge(
          Layer.succeed(RuntimeSettings, {
            dataDir: import.meta.dirname,
            limits: { ...defaultLimits, ...limits },
            homes,
            agents: {},
            defaultAgent: null,
            run: {}
          })
        ),
        Layer.provideMerge(NodeServices.layer)
      )
    ),
    Effect.scoped
  )

const driverAt = (home: string): AgentDriver => ({
  name: "codex",
  protocol: "codex-app-server",
  capabilities: noCapabilities,
  conversations: () => CodexFiles.make({ CODEX_HOME: home }),
  open: () => Effect.die("none is opened here")
})

const portOn = (writes: Pick<Ledger["Service"], "write" | "writeLater">): SessionPort => ({
  record: () => record,
  post: () => Effect.void,
  postNow: () => Effect.void,
  append: () => Effect.void,
  agentTurn: () => Effect.void,
  requestApproval: () => Effect.succeed("deny"),
  ask: () => Effect.succeed(null),
  promptOf: () => Effect.die("no turn is run here"),
  writes
})

const wanted = { cwd: "/srv", env: {}, thread }

const followed = (conversation: Conversation | null): Conversation => {
  if (conversation === null) throw new Error("it is not stored")
  return conversation
}

const setUp = Effect.gen(function* () {
  const [home, other] = [yield* scratch, yield* scratch]
  const ledger = yield* Ledger
  const capsules = yield* Capsules.make
  const file = join(home, path)
  mkdirSync(dirname(file), { recursive: true })
  const conversation = followed(yield* capsules.follow(record, driverAt(home), wanted))
  const stored = Effect.map(ledger.capsules(app, thread), ([capsule]) => capsule)
  const ends = (turn: number) => {
    conversation.turn = turn
    return capsules.store(portOn(ledger), conversation)
  }
  return {
    ledger,
    capsules,
    conversation,
    file,
    stored,
    ends,
    copy: join(other, path),
    placed: capsules.place(record, driverAt(other), wanted)
  }
})

describe("a conversation", () => {
  it.live("is stored by what each turn adds, in parts of which there are never many, and comes back whole", () =>
    onLedger(
      Effect.gen(function* () {
        const { copy, ends, file, ledger, placed, stored } = yield* setUp
        let mostParts = 0
        let series = new Set<number>()
        for (let turn = 1; turn <= 150; turn++) {
          appendFileSync(file, `${JSON.stringify({ turn })}\n`)
          yield* ends(turn)
          const capsule = yield* stored
          assert.deepInclude(capsule, { turn, path, bytes: readFileSync(file).length, node: "alone" })
          mostParts = Math.max(mostParts, capsule?.parts ?? 0)
          series = series.add(capsule?.series ?? 0)
        }
        assert.deepStrictEqual([mostParts, series.size], [64, 3])
        assert.deepStrictEqual(yield* placed, { asOf: 150 })
        assert.strictEqual(readFileSync(copy, "utf8"), readFileSync(file, "utf8"))
        // Nothing to do.
        const before = yield* stored
        yield* ends(150)
        assert.deepStrictEqual(yield* stored, before)
        yield* ledger.ping
      })
    )
  )

  it.live("of more than a commit should have is stored in several, and a turn adds its own alone", () =>
    onLedger(
      Effect.gen(function* () {
        const { copy, ends, file, placed, stored } = yield* setUp
        writeFileSync(file, `${randomBytes(900_000).toString("base64")}\n`)
        yield* ends(1)
        const first = yield* stored
        assert.deepInclude(first, { parts: 3 })
        appendFileSync(file, "{}\n")
        yield* ends(2)
        const second = yield* stored
        assert.deepInclude(second, { parts: 4, turn: 2 })
        assert.strictEqual(second?.series, first?.series)
        yield* placed
        assert.isTrue(readFileSync(copy).equals(readFileSync(file)))
      })
    )
  )

  it.live("that its agent has written anew is stored anew", () =>
    onLedger(
      Effect.gen(function* () {
        const { copy, ends, file, placed, stored } = yield* setUp
        writeFileSync(file, "one\ntwo\n")
        yield* ends(1)
        const first = yield* stored
        writeFileSync(file, "summary\nthree\nfour\n")
        yield* ends(2)
        assert.notStrictEqual((yield* stored)?.series, first?.series)
        yield* placed
        assert.strictEqual(readFileSync(copy, "utf8"), "summary\nthree\nfour\n")
      })
    )
  )

  it.live("that is larger than the limit stays as it was stored before", () =>
    onLedger(
      Effect.gen(function* () {
        const { ends, file, placed, stored } = yield* setUp
        writeFileSync(file, "one\n")
        yield* ends(1)
        appendFileSync(file, "x".repeat(2_000) + "\n")
        yield* ends(2)
        assert.deepInclude(yield* stored, { turn: 1, bytes: 4 })
        assert.deepStrictEqual(yield* placed, { asOf: 1 })
      }),
      { limits: { maxCapsuleBytes: 1_024 } }
    )
  )

  it.live("is not used where a part of it is damaged, or is not there", () =>
    onLedger(
      Effect.gen(function* () {
        const { copy, ends, file, ledger, placed, stored } = yield* setUp
        writeFileSync(file, "one\n")
        yield* ends(1)
        const capsule = yield* stored
        const another = gzipSync("two\n").toString("base64")
        for (const data of ["bm90IGd6aXA=", another]) {
          yield* ledger.write([
            { _tag: "CapsulePartStored", session: record.id, series: capsule?.series ?? 0, nth: 0, data }
          ])
          assert.deepStrictEqual(yield* placed, { asOf: null })
        }
        assert.isFalse(existsSync(copy))
      })
    )
  )

  it.live("stays where it is where that is wanted", () =>
    onLedger(
      Effect.gen(function* () {
        const home = yield* scratch
        const capsules = yield* Capsules.make
        assert.isNull(yield* capsules.follow(record, driverAt(home), wanted))
        assert.deepStrictEqual(yield* capsules.place(record, driverAt(home), wanted), { asOf: null })
      }),
      { homes: "local" }
    )
  )
})

describe("a turn's end", () => {
  it.live("is followed by what its agent adds a moment later, and by another session's of the app", () =>
    onLedger(
      Effect.gen(function* () {
        const [home, elsewhere] = [yield* scratch, yield* scratch]
        const ledger = yield* Ledger
        const capsules = yield* Capsules.make
        const claudeAt = (home: string): AgentDriver => ({
          ...driverAt(home),
          conversations: ({ cwd }) => ClaudeFiles.ofClaude({ CLAUDE_CONFIG_DIR: home }, cwd)
        })
        const path = `projects/-srv/${thread}.jsonl`
        mkdirSync(dirname(join(home, path)), { recursive: true })
        writeFileSync(join(home, path), "one\n")
        const conversation = followed(yield* capsules.follow(record, claudeAt(home), wanted))
        conversation.turn = 1
        yield* capsules.store(portOn(ledger), conversation)
        const bytes = Effect.map(ledger.capsules(app, thread), ([capsule]) => capsule?.bytes)
        assert.strictEqual(yield* bytes, 4)
        appendFileSync(join(home, path), "late\n")
        yield* Effect.repeat(bytes, { until: (stored) => stored === 9, schedule: Schedule.spaced("10 millis") })

        // A session that goes on with the conversation, or copies it, has no turn of its own in it.
        const [copy, others] = [session({ id: SessionId.make("ses_copy") }), session({ app: otherApp })]
        assert.deepStrictEqual(yield* capsules.place(others, claudeAt(elsewhere), wanted), { asOf: null })
        assert.isFalse(existsSync(join(elsewhere, path)))
        assert.deepStrictEqual(yield* capsules.place(copy, claudeAt(elsewhere), wanted), { asOf: null })
        assert.strictEqual(readFileSync(join(elsewhere, path), "utf8"), "one\nlate\n")
      })
    )
  )

  it.live("does not fail where its conversation can't be stored, and the next one stores it", () =>
    onLedger(
      Effect.gen(function* () {
        const { capsules, conversation, copy, ends, file, ledger, placed, stored } = yield* setUp
        writeFileSync(file, "one\n")
        const error = new LedgerError({ operation: "write", cause: "the disk is full", kind: "full" })
        conversation.turn = 1
        yield* capsules.store(portOn({ ...ledger, write: () => Effect.fail(error) }), conversation)
        assert.isUndefined(yield* stored)
        appendFileSync(file, "two\n")
        yield* ends(2)
        assert.deepStrictEqual(yield* placed, { asOf: 2 })
        assert.strictEqual(readFileSync(copy, "utf8"), "one\ntwo\n")
      })
    )
  )

  it.effect.each(["store", "finish"] as const)(
    "waits for it two seconds and no longer (%s), and it is stored all the same",
    (how) =>
      onLedger(
        Effect.gen(function* () {
          const { capsules, conversation, file, ledger, stored } = yield* setUp
          writeFileSync(file, "one\n")
          const [asked, answer] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
          const done = yield* Deferred.make<void>()
          const write: Ledger["Service"]["write"] = (entries) =>
            Deferred.succeed(asked, undefined).pipe(
              Effect.andThen(Deferred.await(answer)),
              Effect.andThen(ledger.write(entries)),
              Effect.ensuring(Deferred.succeed(done, undefined)),
              // As of a ledger.
              Effect.uninterruptible
            )
          conversation.turn = 1
          const end = yield* Effect.forkChild(capsules[how](portOn({ ...ledger, write }), conversation))
          yield* Deferred.await(asked)
          yield* TestClock.adjust("1999 millis")
          assert.isUndefined(end.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          yield* Fiber.join(end)
          assert.isUndefined(yield* stored)
          yield* Deferred.succeed(answer, undefined)
          yield* Deferred.await(done)
          assert.deepInclude(yield* stored, { turn: 1, bytes: 4 })
        })
      )
  )
})
