/** What is not part of a session's turns: leases, files, receipts, the audit trail, apps. */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Option } from "effect"
import { AppName, FileId, LeaseId, SessionId } from "../../../src/domain/Ids.ts"
import { app, lease, id, opened, otherApp } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

export const records = ({ onLedger }: LedgerUnderTest) => {
  it.effect("leases, files, receipts and the audit trail are read as they were written", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const file = {
          id: FileId.make("file_1"),
          app,
          name: "a b.txt",
          size: 3,
          path: "/x/a b.txt",
          createdAt: 5,
          node: "first"
        }
        const request = { app, key: "k", fingerprint: "f" }
        const effect = { _tag: "SessionCreated", session: id } as const
        const receipt = { ...request, createdAt: 5, effect, response: null }
        const line = { at: 5, session: id, app, action: "create", actor: app, detail: { agent: "demo" } }
        yield* ledger.write([
          opened(),
          { _tag: "LeaseOpened", lease: lease() },
          { _tag: "LeaseOpened", lease: lease({ id: LeaseId.make("lea_run"), session: null, openedAt: 1 }) },
          { _tag: "LeaseSpawned", lease: LeaseId.make("lea_1"), pid: 42, startTime: "987" },
          { _tag: "FileInserted", record: file },
          { _tag: "ReceiptOpened", receipt },
          { _tag: "Audited", record: line },
          { _tag: "Audited", record: { ...line, action: "close", session: null, app: null } }
        ])
        assert.deepStrictEqual(yield* ledger.leases, [
          lease({ id: LeaseId.make("lea_run"), session: null, openedAt: 1 }),
          lease({ pid: 42, startTime: "987" })
        ])
        yield* ledger.write([{ _tag: "LeaseClosed", lease: LeaseId.make("lea_run") }])
        assert.strictEqual((yield* ledger.leases).length, 1)
        assert.deepStrictEqual(
          yield* ledger.lease(LeaseId.make("lea_1")),
          Option.some(lease({ pid: 42, startTime: "987" }))
        )
        assert.deepStrictEqual(yield* ledger.lease(LeaseId.make("lea_run")), Option.none())
        // A spare is taken over in the commit that closes the lease before it.
        const spare = lease({ id: LeaseId.make("lea_spare"), session: null, openedAt: 2, pid: 43, startTime: "988" })
        yield* ledger.write([{ _tag: "LeaseOpened", lease: spare }])
        yield* ledger.write([
          { _tag: "LeaseClosed", lease: LeaseId.make("lea_1") },
          { _tag: "LeaseTaken", lease: spare.id, session: id, generation: 3 }
        ])
        assert.deepStrictEqual(yield* ledger.leases, [{ ...spare, session: id, generation: 3 }])

        assert.deepStrictEqual(yield* ledger.file(app, file.id), Option.some(file))
        assert.deepStrictEqual(yield* ledger.file(otherApp, file.id), Option.none())
        assert.deepStrictEqual(yield* ledger.filesBefore(5, 10), [])
        assert.deepStrictEqual(yield* ledger.filesBefore(6, 10), [file])
        const alone = { ...file, id: FileId.make("file_2"), node: null }
        yield* ledger.write([{ _tag: "FileInserted", record: alone }])
        assert.deepStrictEqual(yield* ledger.filesBefore(6, 10, "first"), [file, alone])
        assert.deepStrictEqual(yield* ledger.filesBefore(6, 10, "second"), [alone])
        assert.deepStrictEqual(yield* ledger.knownFiles([FileId.make("file_9"), file.id]), [file.id])
        yield* ledger.removeFiles([alone.id])
        yield* ledger.removeFiles([file.id])
        assert.deepStrictEqual(yield* ledger.file(app, file.id), Option.none())

        assert.deepStrictEqual(yield* ledger.receipt(app, "k"), Option.some(receipt))
        const response = { status: 200, body: '{"ok": true}' }
        yield* ledger.write([{ _tag: "ReceiptAnswered", request, at: 7, response }])
        assert.deepStrictEqual(yield* ledger.receipt(app, "k"), Option.some({ ...receipt, response }))
        yield* ledger.write([{ _tag: "ReceiptOpened", receipt: { ...receipt, key: "l", createdAt: 9 } }])
        assert.strictEqual(yield* ledger.removeReceipts(6), 1)
        const run = { _tag: "RunStarted", lease: LeaseId.make("run_1") } as const
        for (const other of [{ createdAt: 8 }, { effect: run }, { effect: null }, { key: "m" }]) {
          yield* ledger.write([{ _tag: "ReceiptForgotten", receipt: { ...receipt, key: "l", createdAt: 9, ...other } }])
        }
        assert.isTrue(Option.isSome(yield* ledger.receipt(app, "l")))
        yield* ledger.write([{ _tag: "ReceiptForgotten", receipt: { ...receipt, key: "l", createdAt: 9 } }])
        assert.deepStrictEqual(yield* ledger.receipt(app, "l"), Option.none())
        for (const [key, effect] of [
          ["run", run],
          ["none", null]
        ] as const) {
          yield* ledger.write([{ _tag: "ReceiptOpened", receipt: { ...receipt, key, effect } }])
          yield* ledger.write([{ _tag: "ReceiptForgotten", receipt: { ...receipt, key, effect } }])
          assert.deepStrictEqual(yield* ledger.receipt(app, key), Option.none())
        }

        assert.deepStrictEqual(yield* ledger.audit(id, 10), [line])
      })
    )
  )

  it.effect("audit trails of deleted sessions are removed whole, the earliest deleted first", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const lines = (of: string, deletedAt: number | null) =>
          [
            { at: 1, action: "create" },
            { at: 2, action: "close" },
            ...(deletedAt === null ? [] : [{ at: deletedAt, action: "sweep_delete" }])
          ].map(({ action, at }) => ({
            _tag: "Audited" as const,
            record: { at, session: SessionId.make(of), app, action, actor: "troupe", detail: {} }
          }))
        yield* ledger.write([...lines("ses_late", 9), ...lines("ses_early", 5), ...lines("ses_open", null)])
        const lengthOf = (of: string) => Effect.map(ledger.audit(SessionId.make(of), 10), ({ length }) => length)
        assert.strictEqual(yield* ledger.removeAudit(5, 10), 0)
        assert.strictEqual(yield* ledger.removeAudit(10, 1), 3)
        assert.deepStrictEqual(
          [yield* lengthOf("ses_early"), yield* lengthOf("ses_late"), yield* lengthOf("ses_open")],
          [0, 3, 2]
        )
        assert.strictEqual(yield* ledger.removeAudit(10, 10), 3)
        assert.deepStrictEqual([yield* lengthOf("ses_late"), yield* lengthOf("ses_open")], [0, 2])
      })
    )
  )

  it.effect("an app is found only by the hash of its present token", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const appOf = (tokenHash: string) =>
          Effect.map(
            ledger.appByToken(tokenHash),
            Option.map(({ app }) => app)
          )
        yield* ledger.write([{ _tag: "AppInserted", name: app, at: 1, tokenHash: "h1" }, opened()])
        assert.deepStrictEqual(yield* ledger.apps, [
          { name: app, createdAt: 1, revokedAt: null, openSessions: 1, bounds: null }
        ])
        assert.deepStrictEqual(yield* appOf("h1"), Option.some(app))
        yield* ledger.write([{ _tag: "AppTokenReplaced", name: app, at: 2, tokenHash: "h2" }])
        assert.deepStrictEqual([yield* appOf("h1"), yield* appOf("h2")], [Option.none(), Option.some(app)])
        yield* ledger.write([{ _tag: "AppRevoked", name: app, at: 3 }])
        assert.deepStrictEqual(yield* appOf("h2"), Option.none())
        // The same app again: as old as it was, with all that it owned.
        yield* ledger.write([{ _tag: "AppInserted", name: app, at: 4, tokenHash: "h3" }])
        assert.deepStrictEqual(yield* ledger.apps, [
          { name: app, createdAt: 1, revokedAt: null, openSessions: 1, bounds: null }
        ])
        // Another app of that name: what the revoked one owned has another name.
        yield* ledger.write([{ _tag: "AppRevoked", name: app, at: 5 }])
        const predecessor = AppName.make("desk-before")
        yield* ledger.write([{ _tag: "AppInserted", name: app, at: 6, tokenHash: "h4", predecessor }])
        assert.deepStrictEqual(yield* ledger.apps, [
          { name: app, createdAt: 6, revokedAt: null, openSessions: 0, bounds: null },
          { name: predecessor, createdAt: 1, revokedAt: 5, openSessions: 1, bounds: null }
        ])
        const query = { state: null, cursor: null, limit: 5 }
        assert.strictEqual((yield* ledger.sessions({ app, ...query })).count, 0)
        assert.strictEqual((yield* ledger.sessions({ app: predecessor, ...query })).items[0]?.id, id)
      })
    )
  )

  it.effect("an app's bounds are kept until they are replaced, also when it is revoked and comes back", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const bounds = { maxPermissions: "ask", agents: ["codex"], cwdRoots: ["/srv/repos"], network: false } as const
        const boundsInList = Effect.map(ledger.apps, (apps) => apps.map((record) => record.bounds))
        assert.isNull(yield* ledger.appBounds(app))
        yield* ledger.write([{ _tag: "AppInserted", name: app, at: 1, tokenHash: "h1", bounds }])
        assert.deepStrictEqual(yield* ledger.appBounds(app), bounds)
        yield* ledger.write([{ _tag: "AppTokenReplaced", name: app, at: 2, tokenHash: "h2" }])
        assert.deepStrictEqual(yield* boundsInList, [bounds])
        yield* ledger.write([{ _tag: "AppBounded", name: app, at: 3, bounds: { agents: [] } }])
        assert.deepStrictEqual(yield* ledger.appBounds(app), { agents: [] })
        yield* ledger.write([{ _tag: "AppBounded", name: app, at: 4, bounds: null }])
        assert.deepStrictEqual([yield* ledger.appBounds(app), yield* boundsInList], [null, [null]])
        yield* ledger.write([{ _tag: "AppBounded", name: app, at: 5, bounds }])
        yield* ledger.write([{ _tag: "AppRevoked", name: app, at: 6 }])
        assert.deepStrictEqual(yield* ledger.appBounds(app), bounds)
        yield* ledger.write([{ _tag: "AppInserted", name: app, at: 7, tokenHash: "h3" }])
        assert.deepStrictEqual(yield* ledger.appBounds(app), bounds)
        const other = AppName.make("nobody")
        assert.isTrue(
          Exit.isFailure(yield* Effect.exit(ledger.write([{ _tag: "AppBounded", name: other, at: 8, bounds }])))
        )
      })
    )
  )

  it.effect("a ping writes and reads a row", () => onLedger((ledger) => Effect.andThen(ledger.ping, ledger.ping)))
}
