/** Apps and their tokens, against a real ledger file. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { DatabaseSync } from "node:sqlite"
import { readFileSync } from "node:fs"
import { Apps } from "../../src/services/Apps.ts"
import type { Caller } from "../../src/services/Sessions.ts"
import { AppName, SessionId } from "../../src/domain/Ids.ts"
import { Ledger } from "../../src/ledger/Ledger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { opened, scratchFile } from "../ledger/samples.ts"

const adminToken = Redacted.make("the operator's own")

/** What one Troupe process has on that file. */
const layerOn = (filename: string) => Apps.layer({ adminToken }).pipe(Layer.provideMerge(SqliteLedger.layer(filename)))

const onFile = <A, E>(test: (apps: Apps["Service"], filename: string) => Effect.Effect<A, E, Ledger>) =>
  Effect.gen(function* () {
    const filename = yield* scratchFile
    return yield* Apps.use((apps) => test(apps, filename)).pipe(Effect.provide(layerOn(filename)))
  }).pipe(Effect.scoped)

const desk = Option.some<Caller>({ _tag: "App", app: AppName.make("desk"), since: 0 })

describe("apps", () => {
  it.effect("an app is authenticated by its token, the operator by the admin token", () =>
    onFile((apps) =>
      Effect.gen(function* () {
        const { name, token } = yield* apps.mint("desk")
        assert.strictEqual(name, "desk")
        assert.match(Redacted.value(token), /^trp_[A-Za-z0-9_-]{43}$/)
        assert.deepStrictEqual(yield* apps.authenticate(token), desk)
        assert.deepStrictEqual(yield* apps.authenticate(adminToken), Option.some({ _tag: "Admin" }))
      })
    )
  )

  it.effect("any other token is refused", () =>
    onFile((apps) =>
      Effect.gen(function* () {
        const { token } = yield* apps.mint("desk")
        const given = Redacted.value(token)
        const others = [
          "",
          "trp_",
          given.slice(0, -1),
          `${given}A`,
          ` ${given}`,
          given.toUpperCase(),
          `trp_${"A".repeat(43)}`,
          "' OR 1 --"
        ]
        for (const other of others) {
          assert.deepStrictEqual(yield* apps.authenticate(Redacted.make(other)), Option.none(), other)
        }
      })
    )
  )

  it.effect("a token is in none of the ledger's files", () =>
    onFile((apps, filename) =>
      Effect.gen(function* () {
        const token = Redacted.value((yield* apps.mint("desk")).token)
        for (const file of [filename, `${filename}-wal`]) {
          assert.isFalse(readFileSync(file).includes(token.slice(4)), file)
        }
      })
    )
  )

  it.effect("a rotated token is refused, and the new one accepted", () =>
    onFile((apps) =>
      Effect.gen(function* () {
        const old = yield* apps.mint("desk")
        const fresh = yield* apps.rotate("desk")
        assert.deepStrictEqual(yield* apps.authenticate(old.token), Option.none())
        assert.deepStrictEqual(yield* apps.authenticate(fresh.token), desk)
        assert.strictEqual((yield* Effect.flip(apps.rotate("shop")))._tag, "AppNotFound")
      })
    )
  )

  it.effect("an app that another process revoked is refused at once", () =>
    onFile((apps, filename) =>
      Effect.gen(function* () {
        const { token } = yield* apps.mint("desk")
        assert.deepStrictEqual(yield* apps.authenticate(token), desk)
        // The command line beside a running server: another connection to the same file.
        yield* Apps.use((beside) => beside.revoke("desk")).pipe(Effect.provide(layerOn(filename)))
        assert.deepStrictEqual(yield* apps.authenticate(token), Option.none())
        assert.strictEqual((yield* Effect.flip(apps.revoke("desk")))._tag, "AppNotFound")
      })
    )
  )

  it.effect("the name of an app is taken until the app is revoked", () =>
    onFile((apps) =>
      Effect.gen(function* () {
        const { token } = yield* apps.mint("desk")
        assert.strictEqual((yield* Effect.flip(apps.mint("desk")))._tag, "AppExists")
        yield* apps.revoke("desk")
        const again = yield* apps.mint("desk")
        assert.deepStrictEqual(yield* apps.authenticate(token), Option.none())
        assert.deepStrictEqual(yield* apps.authenticate(again.token), desk)
      })
    )
  )

  it.effect("what a revoked app owned is not of the next app of its name, unless that adopts it", () =>
    onFile((apps) =>
      Effect.gen(function* () {
        const ledger = yield* Ledger
        const sessionsOf = (name: string) =>
          Effect.map(
            ledger.sessions({ app: AppName.make(name), state: null, cursor: null, limit: 10 }),
            ({ count, items }) => [count, items.length]
          )
        yield* apps.mint("desk")
        yield* ledger.write([opened()])
        yield* apps.revoke("desk")
        yield* TestClock.adjust("1 second")
        const { token } = yield* apps.mint("desk")
        assert.deepStrictEqual(yield* sessionsOf("desk"), [0, 0])
        assert.deepStrictEqual(
          yield* apps.authenticate(token),
          Option.some<Caller>({ _tag: "App", app: AppName.make("desk"), since: 1_000 })
        )
        assert.deepStrictEqual(
          (yield* apps.list).map(({ name, openSessions, revokedAt }) => [name, openSessions, revokedAt !== null]),
          [
            ["desk", 0, false],
            ["desk~1", 1, true]
          ]
        )
        yield* apps.revoke("desk")
        yield* apps.mint("desk")
        yield* ledger.write([opened({ id: SessionId.make("ses_second") })])
        yield* apps.revoke("desk")
        yield* TestClock.adjust("1 second")
        const adopting = yield* apps.mint("desk", { adopt: true })
        assert.deepStrictEqual(yield* sessionsOf("desk"), [1, 1])
        assert.deepStrictEqual(
          yield* apps.authenticate(adopting.token),
          Option.some<Caller>({ _tag: "App", app: AppName.make("desk"), since: 1_000 })
        )
        assert.deepStrictEqual(
          (yield* apps.list).map(({ name }) => name),
          ["desk", "desk~1", "desk~2"]
        )
        assert.strictEqual((yield* Effect.flip(apps.mint("desk", { adopt: true })))._tag, "AppExists")
      })
    )
  )

  it.effect("one of several concurrent requests for a name gets it", () =>
    onFile((apps) =>
      Effect.gen(function* () {
        const all = yield* Effect.all(
          Array.from({ length: 5 }, () => Effect.result(apps.mint("desk"))),
          { concurrency: "unbounded" }
        )
        const refused = all.flatMap((one) => (one._tag === "Failure" ? [one.failure._tag] : []))
        assert.deepStrictEqual(
          refused,
          Array.from({ length: 4 }, () => "AppExists")
        )
      })
    )
  )

  it.effect("an invalid app name is refused", () =>
    onFile((apps) =>
      Effect.gen(function* () {
        for (const name of ["", "Desk", "-desk", "desk/shop", "d".repeat(64), "admin", "troupe"]) {
          const refusal = yield* Effect.flip(apps.mint(name))
          assert.strictEqual(refusal._tag, "InvalidRequest", name)
          assert.match(refusal.detail, /^name must /)
        }
      })
    )
  )

  it.effect("apps are listed with their open sessions, revoked ones included", () =>
    onFile((apps) =>
      Effect.gen(function* () {
        yield* apps.mint("shop")
        yield* apps.mint("desk")
        yield* Ledger.use((ledger) => ledger.write([opened()]))
        yield* apps.revoke("shop")
        assert.deepStrictEqual(
          (yield* apps.list).map((app) => [app.name, app.openSessions, app.revokedAt !== null]),
          [
            ["desk", 1, false],
            ["shop", 0, true]
          ]
        )
      })
    )
  )

  it.effect("every change of an app leaves a line in the audit trail", () =>
    onFile((apps, filename) =>
      Effect.gen(function* () {
        yield* apps.mint("desk")
        yield* apps.rotate("desk")
        yield* apps.revoke("desk")
        const db = new DatabaseSync(filename)
        const lines = db.prepare("SELECT action, app, actor FROM audit ORDER BY id").all()
        db.close()
        assert.deepStrictEqual(
          lines.map(({ action, actor, app }) => [action, app, actor]),
          ["app_create", "app_rotate", "app_revoke"].map((action) => [action, "desk", "admin"])
        )
      })
    )
  )
})
