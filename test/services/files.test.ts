/** Uploaded files on a real disk: whole or gone, by names of ours, put in front of a prompt. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Stream } from "effect"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { Files } from "../../src/services/Files.ts"
import { RuntimeSettings } from "../../src/runtime/RuntimeSettings.ts"
import { FileId } from "../../src/domain/Ids.ts"
import { defaultLimits } from "../../src/domain/Settings.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { app, otherApp, scratch } from "../ledger/samples.ts"

const settings = (dataDir: string) =>
  RuntimeSettings.of({
    dataDir,
    limits: { ...defaultLimits, maxFileBytes: 100 },
    agents: {},
    defaultAgent: null,
    run: {}
  })

const layerIn = (dataDir: string) =>
  Files.layer.pipe(
    Layer.provide(Layer.succeed(RuntimeSettings, settings(dataDir))),
    Layer.provide(SqliteLedger.layer(dataDir === ":memory:" ? dataDir : join(dataDir, "ledger.sqlite"))),
    Layer.provide(NodeServices.layer)
  )

const inDirectory = <A, E>(test: (files: Files["Service"], dataDir: string) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const dataDir = yield* scratch
    return yield* Files.use((files) => test(files, dataDir)).pipe(Effect.provide(layerIn(dataDir)))
  }).pipe(Effect.scoped)

const bytes = (...chunks: ReadonlyArray<string>) => Stream.fromIterable(chunks.map((chunk) => Buffer.from(chunk)))

/** Every file under the directory that is not the ledger's. */
const leftIn = (dataDir: string) =>
  readdirSync(join(dataDir, "files"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)

describe("files", () => {
  it.live("an uploaded file is stored unchanged, readable by its owner only, and found by its app", () =>
    inDirectory((files, dataDir) =>
      Effect.gen(function* () {
        const stored = yield* files.store(app, "notes.txt", bytes("one, ", "two"))
        assert.match(stored.id, /^file_[0-9a-f]{32}$/)
        assert.deepStrictEqual([stored.name, stored.size], ["notes.txt", 8])
        assert.strictEqual(stored.path, join(dataDir, "files", app, stored.id, "notes.txt"))
        assert.strictEqual(readFileSync(stored.path, "utf8"), "one, two")
        assert.strictEqual(statSync(stored.path).mode & 0o777, 0o600)
        for (const directory of [dirname(stored.path), join(dataDir, "files", app), join(dataDir, "files")]) {
          assert.strictEqual(statSync(directory).mode & 0o777, 0o700, directory)
        }
        assert.deepStrictEqual(yield* files.find(app, [stored.id]), [stored])
      })
    )
  )

  it.live("another app's file is not found, like one that never existed", () =>
    inDirectory((files) =>
      Effect.gen(function* () {
        const { id } = yield* files.store(app, "notes.txt", bytes("mine"))
        const theirs = yield* Effect.flip(files.find(otherApp, [id]))
        const nobodys = yield* Effect.flip(files.find(otherApp, [FileId.make("file_0")]))
        assert.deepStrictEqual([theirs._tag, nobodys._tag], ["FileNotFound", "FileNotFound"])
        assert.strictEqual((yield* Effect.flip(files.withFiles(otherApp, "read it", [id])))._tag, "FileNotFound")
      })
    )
  )

  it.live("a file may be as long as the limit, and nothing is left of a longer one", () =>
    inDirectory((files, dataDir) =>
      Effect.gen(function* () {
        const whole = yield* files.store(app, "whole", bytes("x".repeat(60), "x".repeat(40)))
        assert.strictEqual(whole.size, 100)
        let chunks = 0
        const endless = Stream.fromIterable(
          (function* () {
            while (true) {
              chunks++
              yield Buffer.alloc(30)
            }
          })(),
          { chunkSize: 1 }
        )
        const refusal = yield* Effect.flip(files.store(app, "endless", endless))
        assert.strictEqual(refusal._tag, "FileTooLarge")
        assert.isBelow(chunks, 10)
        assert.deepStrictEqual(leftIn(dataDir), ["whole"])
      })
    )
  )

  it.live("nothing is left of an upload that fails or is interrupted", () =>
    inDirectory((files, dataDir) =>
      Effect.gen(function* () {
        const broken = Stream.concat(bytes("half"), Stream.fail("the line is dead" as const))
        assert.strictEqual(yield* Effect.flip(files.store(app, "broken", broken)), "the line is dead")

        const begun = yield* Deferred.make<void>()
        const hanging = Stream.concat(
          bytes("half"),
          Stream.fromEffect(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
        )
        const upload = yield* Effect.forkChild(files.store(app, "hanging", hanging))
        yield* Deferred.await(begun)
        assert.deepStrictEqual(leftIn(dataDir), ["hanging"])
        yield* Fiber.interrupt(upload)
        assert.deepStrictEqual(leftIn(dataDir), [])
      })
    )
  )

  it.live("incomplete files of a crash are removed at the next start, complete ones stay", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratch
      const stored = yield* Files.use((files) => files.store(app, "whole", bytes("all"))).pipe(
        Effect.provide(layerIn(dataDir))
      )
      const half = join(dataDir, "files", ".incoming", "file_half")
      mkdirSync(half)
      writeFileSync(join(half, "half"), "ha")
      yield* Files.use((files) => files.find(app, [stored.id])).pipe(Effect.provide(layerIn(dataDir)))
      assert.deepStrictEqual(leftIn(dataDir), ["whole"])
    }).pipe(Effect.scoped)
  )

  const names: ReadonlyArray<readonly [given: string, stored: string]> = [
    ["../../etc/passwd", "passwd"],
    ["C:\\temp\\report.pdf", "report.pdf"],
    ["/", ""],
    ["..", ""],
    [".ssh", "ssh"],
    ["two\nlines\u2028and\u0000more.md", "twolinesandmore.md"],
    ["\u202Egnp.exe", "gnp.exe"],
    ["über größe 漢字.txt", "über größe 漢字.txt"],
    ["👩‍👩‍👧 می‌خواهم", "👩‍👩‍👧 می‌خواهم"],
    [`${"長".repeat(300)}.json`, `${"長".repeat(65)}.json`]
  ]

  it.live("a file name with half of a surrogate pair is refused", () =>
    inDirectory((files, dataDir) =>
      Effect.gen(function* () {
        const refusal = yield* Effect.flip(files.store(app, "x\ud800.txt", bytes("one")))
        assert.strictEqual(refusal.message, "name must be Unicode: it has half of a surrogate pair.")
        assert.deepStrictEqual(leftIn(dataDir), [])
      })
    )
  )

  it.live.each(names)("a file name is sanitised: %j", ([given, safeName]) =>
    inDirectory((files, dataDir) =>
      Effect.gen(function* () {
        const stored = yield* Effect.result(files.store(app, given, bytes("x")))
        if (safeName === "") {
          assert.strictEqual(stored._tag === "Failure" && stored.failure._tag, "InvalidRequest")
          assert.deepStrictEqual(leftIn(dataDir), [])
        } else {
          assert.strictEqual(stored._tag === "Success" && stored.success.name, safeName)
          assert.deepStrictEqual(leftIn(dataDir), [safeName])
        }
      })
    )
  )

  it.live("files' paths are put before a prompt in the order of their ids", () =>
    inDirectory((files) =>
      Effect.gen(function* () {
        const a = yield* files.store(app, "a.txt", bytes("a"))
        const b = yield* files.store(app, "b.txt", bytes("b"))
        assert.strictEqual(yield* files.withFiles(app, "Compare.", [b.id, a.id]), `${b.path}\n${a.path}\n\nCompare.`)
        assert.strictEqual(yield* files.withFiles(app, "Just talk.", []), "Just talk.")
      })
    )
  )

  it.live("old files are removed with their records", () =>
    inDirectory((files, dataDir) =>
      Effect.gen(function* () {
        const { id } = yield* files.store(app, "old", bytes("x"))
        assert.strictEqual(yield* files.removeBefore(0, 10), 0)
        assert.strictEqual(yield* files.removeBefore(Number.MAX_SAFE_INTEGER, 10), 1)
        assert.deepStrictEqual(leftIn(dataDir), [])
        assert.strictEqual((yield* Effect.flip(files.find(app, [id])))._tag, "FileNotFound")
      })
    )
  )

  it.live("files are stored in a temporary directory where the ledger is in memory", () =>
    Effect.gen(function* () {
      const path = yield* Files.use((files) =>
        Effect.map(files.store(app, "a", bytes("x")), (stored) => {
          assert.isTrue(existsSync(stored.path))
          return stored.path
        })
      ).pipe(Effect.provide(layerIn(":memory:")))
      assert.strictEqual(basename(path), "a")
      assert.isFalse(existsSync(path))
    })
  )
})
