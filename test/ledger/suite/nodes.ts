/** Nodes and the sessions that they own: a session has one owner, and only its owner writes for it. */
import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { LeaseId, NodeToken, SessionId } from "../../../src/domain/Ids.ts"
import { anySession } from "../../../src/ledger/Ledger.ts"
import type { Claim, Ledger, LedgerWrite } from "../../../src/ledger/Ledger.ts"
import { eventAppended, id, lease, opened, step, turn } from "../samples.ts"
import type { LedgerUnderTest } from "./ledgerSuite.ts"

const [first, second, third] = ["node_1", "node_2", "node_3"].map((token) => NodeToken.make(token)) as [
  NodeToken,
  NodeToken,
  NodeToken
]

type SessionInserted = Extract<LedgerWrite, { readonly _tag: "SessionInserted" }>

/** A lease of a minute outlasts every test; one of no length is over at once. */
const joins = (token: NodeToken, leaseMillis: number | null, name: string = token): LedgerWrite => ({
  _tag: "NodeJoined",
  node: { token, name, url: `http://${name}`, version: "1.0.0" },
  leaseMillis
})
const minute = 60_000
const claims = (owner: NodeToken, chart = 1): LedgerWrite => ({
  _tag: "SessionClaimed",
  session: id,
  owner,
  chart
})
/** By its lease as it is now. */
const declareDead = Effect.fnUntraced(function* (ledger: Ledger["Service"], token: NodeToken) {
  const { leaseUntil } = Option.getOrThrow(yield* ledger.node(token))
  yield* ledger.write([{ _tag: "NodeDeclaredDead", token, leaseUntil: leaseUntil ?? 0 }])
})
const checks = (owner: NodeToken, epoch: number): LedgerWrite => ({
  _tag: "ClaimChecked",
  claim: { session: id, owner, epoch }
})

const failsAs = Effect.fnUntraced(function* (
  ledger: Ledger["Service"],
  entries: ReadonlyArray<LedgerWrite>,
  kind: string,
  reason: RegExp
) {
  const error = yield* Effect.flip(ledger.write(entries))
  assert.deepStrictEqual([error.kind, error.away], [kind, false])
  assert.match(error.message, reason)
})

const ownerOf = (ledger: Ledger["Service"]): Effect.Effect<Claim | null> =>
  Effect.orDie(Effect.map(ledger.claimOf(id), Option.getOrThrow))

export const nodes = ({ onLedger }: LedgerUnderTest) => {
  it.effect("nodes that have not left are shown with the open sessions that each owns, by the database's clock", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const inserted = (session: string, owner: NodeToken, state: "idle" | "closed" = "idle"): LedgerWrite => {
          const entry = opened({
            id: SessionId.make(session),
            state,
            substate: state,
            closedAt: state === "closed" ? 2 : null
          }) as SessionInserted
          return { ...entry, owner }
        }
        yield* ledger.write([joins(first, minute), joins(second, minute), joins(third, 0)])
        yield* ledger.write([
          inserted("ses_a", first),
          inserted("ses_b", first),
          inserted("ses_c", first, "closed"),
          inserted("ses_d", third),
          opened({ id: SessionId.make("ses_nobodys") })
        ])
        const statuses = yield* ledger.nodeStatuses
        assert.deepStrictEqual(
          statuses.map(({ lives, node, sessions }) => [node.token, sessions, lives]),
          [
            [first, 2, true],
            [second, 0, true],
            [third, 1, false]
          ]
        )
        const [{ at, node }] = statuses as [(typeof statuses)[number]]
        assert.isAtLeast(at, node.joinedAt)
        assert.isBelow(at, node.leaseUntil ?? 0)
        assert.deepStrictEqual([node], (yield* ledger.nodes).slice(0, 1))

        // Of a node that was started again, the last start.
        yield* ledger.write([{ _tag: "NodeLeft", token: second }, joins(NodeToken.make("node_4"), minute, third)])
        assert.deepStrictEqual(
          (yield* ledger.nodeStatuses).map(({ lives, node, sessions }) => [node.token, sessions, lives]),
          [
            [first, 2, true],
            ["node_4", 0, true]
          ]
        )
      })
    )
  )

  it.effect("a node is there from its joining until it leaves, or its lease is over", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([joins(first, minute), joins(second, 0)])
        const [node, ...others] = yield* ledger.nodes
        assert.deepInclude(node, {
          token: first,
          name: first,
          url: `http://${first}`,
          version: "1.0.0",
          draining: false
        })
        assert.deepStrictEqual(others, [])
        assert.strictEqual((node?.leaseUntil ?? 0) - (node?.joinedAt ?? 0), minute)

        yield* ledger.write([{ _tag: "NodeRenewed", token: second, leaseMillis: minute, draining: true }])
        assert.deepStrictEqual(
          (yield* ledger.nodes).map(({ draining, token }) => [token, draining]),
          [
            [first, false],
            [second, true]
          ]
        )
        yield* ledger.write([{ _tag: "NodeLeft", token: first }])
        assert.deepStrictEqual(
          (yield* ledger.nodes).map(({ token }) => token),
          [second]
        )
        assert.isTrue(Option.isSome(yield* ledger.node(first)))
        yield* failsAs(
          ledger,
          [{ _tag: "NodeRenewed", token: third, leaseMillis: minute, draining: false }],
          "unmet",
          /the node has left/
        )
      })
    )
  )

  it.effect("a living node's name is its own, and one that works alone is the only one", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([joins(first, minute, "name")])
        yield* failsAs(ledger, [joins(second, minute, "name")], "unmet", /a node named name works on it/)
        yield* ledger.write([{ _tag: "NodeLeft", token: first }, joins(second, minute, "name")])
        yield* ledger.write([joins(third, null)])
        assert.deepStrictEqual(
          (yield* ledger.nodes).map(({ leaseUntil, token }) => [token, leaseUntil]),
          [[third, null]]
        )
      })
    )
  )

  it.effect("a session is claimed once, and again only after its owner has left or was declared dead", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([joins(first, minute), joins(second, minute), opened()])
        assert.isNull(yield* ownerOf(ledger))
        yield* ledger.write([claims(first), { _tag: "StepAppended", step: step() }])
        assert.deepStrictEqual(yield* ownerOf(ledger), { session: id, owner: first, epoch: 1 })
        yield* failsAs(ledger, [claims(second)], "fenced", /belongs to another node/)
        assert.strictEqual((yield* ownerOf(ledger))?.owner, first)

        yield* ledger.write([{ _tag: "NodeLeft", token: first }, claims(second)])
        assert.deepStrictEqual(yield* ownerOf(ledger), { session: id, owner: second, epoch: 2 })
        yield* ledger.write([{ _tag: "NodeRenewed", token: second, leaseMillis: 0, draining: false }])
        yield* ledger.write([joins(third, minute)])
        // Its lease is over, and its agents may go on as long as nobody says more of it.
        yield* failsAs(ledger, [claims(third)], "fenced", /belongs to another node/)
        yield* declareDead(ledger, second)
        yield* ledger.write([claims(third)])
        assert.deepStrictEqual(
          (yield* ledger.claims(id, 10)).map(({ afterStep, epoch, node, owner, ownerBefore }) => [
            epoch,
            owner,
            node,
            afterStep,
            ownerBefore
          ]),
          [
            [1, first, "node_1", 0, null],
            [2, second, "node_2", 1, "left"],
            [3, third, "node_3", 1, "silent"]
          ]
        )
        assert.deepStrictEqual(
          (yield* ledger.claims(id, 1)).map(({ epoch }) => epoch),
          [3]
        )
        assert.isTrue(Option.isNone(yield* ledger.claimOf(SessionId.make("ses_nobody"))))
      })
    )
  )

  it.effect("a session is shown with the node that has it, and found by it, until that has left", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const query = { ...anySession, limit: 10 }
        const found = (node: string) =>
          Effect.map(ledger.overview({ ...query, node }), ({ count, items }) => [count, items.map((item) => item.node)])
        const nodeOf = Effect.map(ledger.summary(id), (summary) => Option.getOrThrow(summary).node)
        yield* ledger.write([joins(first, minute, "berlin"), joins(second, 0, "oslo"), opened()])
        yield* ledger.write([opened({ id: SessionId.make("ses_nobodys") })])
        assert.isNull(yield* nodeOf)
        yield* ledger.write([claims(first)])
        assert.strictEqual(yield* nodeOf, "berlin")
        assert.deepStrictEqual(yield* found("berlin"), [1, ["berlin"]])
        assert.deepStrictEqual(yield* found("oslo"), [0, []])
        // Also one whose lease is over: nobody else has its sessions yet.
        assert.deepStrictEqual(yield* ledger.nodeNames, ["berlin", "oslo"])
        yield* ledger.write([{ _tag: "NodeLeft", token: first }])
        assert.isNull(yield* nodeOf)
        assert.deepStrictEqual(yield* found("berlin"), [0, []])
        assert.deepStrictEqual(yield* ledger.nodeNames, ["oslo"])
      })
    )
  )

  it.effect("nothing is written for a session that another node has claimed, whatever the commit holds", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([joins(first, 0), joins(second, minute), opened(), claims(first)])
        yield* ledger.write([checks(first, 1), eventAppended(1)])
        yield* declareDead(ledger, first)
        yield* ledger.write([claims(second)])
        const late: ReadonlyArray<ReadonlyArray<LedgerWrite>> = [
          [eventAppended(2)],
          [{ _tag: "StepAppended", step: step() }],
          [{ _tag: "TurnInserted", record: turn() }],
          [{ _tag: "LeaseOpened", lease: lease() }],
          // Its UPDATE checks the claim itself, before anything else of the commit.
          [eventAppended(2), { _tag: "SessionPatched", session: id, patch: { restarts: 7, snapshot: { late: true } } }]
        ]
        for (const entries of late) yield* failsAs(ledger, [checks(first, 1), ...entries], "fenced", /another node now/)
        assert.strictEqual(yield* ledger.lastEvent(id), 1)
        assert.strictEqual(yield* ledger.lastStep(id), 0)
        assert.deepStrictEqual(yield* ledger.leases, [])
        // Nor by a claim of this node's that is not the last one.
        yield* failsAs(ledger, [checks(second, 1)], "fenced", /another node now/)
        assert.notDeepEqual(yield* ledger.snapshot(id), { late: true })
        yield* ledger.write([checks(second, 2), eventAppended(2)])
        const patch = { restarts: 7, snapshot: { late: false }, model: "m" }
        yield* ledger.write([checks(second, 2), eventAppended(3), { _tag: "SessionPatched", session: id, patch }])
        assert.deepStrictEqual(yield* ledger.snapshot(id), { late: false })
        assert.containSubset(Option.getOrThrow(yield* ledger.session(id)), { restarts: 7, model: "m" })
        assert.strictEqual(yield* ledger.lastEvent(id), 3)
        // The check of one session says nothing of another.
        const other = SessionId.make("ses_other")
        yield* ledger.write([{ ...(opened({ id: other }) as SessionInserted), owner: first }])
        yield* failsAs(
          ledger,
          [checks(first, 1), { _tag: "SessionPatched", session: other, patch: { snapshot: null } }],
          "fenced",
          /another node now/
        )
      })
    )
  )

  it.effect(
    "a session that its owner has let go of is anybody's at once, and nothing more is written by that claim",
    () =>
      onLedger((ledger) =>
        Effect.gen(function* () {
          const other = SessionId.make("ses_other")
          const closed = opened({ id: SessionId.make("ses_closed"), state: "closed", substate: "closed", closedAt: 2 })
          yield* ledger.write([joins(first, minute), joins(second, minute)])
          for (const entry of [opened(), opened({ id: other }), closed] as ReadonlyArray<SessionInserted>) {
            yield* ledger.write([{ ...entry, owner: first }])
          }
          const claim = { session: id, owner: first, epoch: 1 }
          assert.deepStrictEqual(yield* ledger.claimsOf(first, [other], 10), [claim])
          assert.strictEqual((yield* ledger.claimsOf(first, [], 1)).length, 1)
          assert.deepStrictEqual(yield* ledger.claimsOf(second, [], 10), [])
          yield* ledger.write([{ _tag: "SessionReleased", claim }])
          assert.isNull(yield* ownerOf(ledger))
          assert.deepStrictEqual(yield* ledger.claimsOf(first, [other], 10), [])
          yield* failsAs(ledger, [checks(first, 1), eventAppended(1)], "fenced", /another node now/)
          yield* failsAs(ledger, [{ _tag: "SessionReleased", claim }], "fenced", /another node now/)
          yield* ledger.write([claims(second)])
          assert.deepStrictEqual(yield* ownerOf(ledger), { session: id, owner: second, epoch: 2 })
          yield* ledger.write([{ _tag: "SessionReleased", claim: { session: id, owner: second, epoch: 2 } }])
          // Also by the one that had it.
          yield* ledger.write([claims(first)])
          assert.deepStrictEqual(yield* ownerOf(ledger), { session: id, owner: first, epoch: 3 })
        })
      )
  )

  it.effect("a node is asked to drain, and not any more, whatever it says of itself", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const third = NodeToken.make("node_third")
        yield* ledger.write([joins(first, minute), joins(second, 0)])
        const asks = (token: NodeToken, asked: boolean): LedgerWrite => ({ _tag: "NodeDrainAsked", token, asked })
        // The other one is dead.
        yield* failsAs(ledger, [asks(first, true)], "unmet", /no other one takes sessions/)
        yield* ledger.write([joins(third, minute)])
        yield* ledger.write([asks(first, true)])
        yield* failsAs(ledger, [asks(third, true)], "unmet", /no other one takes sessions/)
        const drains = Effect.map(ledger.nodes, (nodes) =>
          nodes.filter(({ token }) => token === first).map(({ drainAsked, draining }) => [drainAsked, draining])
        )
        assert.deepStrictEqual(yield* drains, [[true, false]])
        yield* ledger.write([{ _tag: "NodeRenewed", token: first, leaseMillis: minute, draining: true }])
        assert.deepStrictEqual(yield* drains, [[true, true]])
        yield* ledger.write([asks(first, false)])
        assert.deepStrictEqual(yield* drains, [[false, true]])
        // One that is being stopped takes none either.
        yield* failsAs(ledger, [asks(third, true)], "unmet", /no other one takes sessions/)
        for (const asked of [true, false]) {
          yield* failsAs(ledger, [asks(NodeToken.make("node_none"), asked)], "unmet", /there is no such node/)
        }
      })
    )
  )

  it.effect("a late commit fails for its own session only", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const other = SessionId.make("ses_other")
        yield* ledger.write([joins(first, 0), joins(second, minute), opened(), opened({ id: other }), claims(first)])
        yield* declareDead(ledger, first)
        yield* ledger.write([claims(second)])
        const late = ledger.write([checks(first, 1), eventAppended(1)])
        const [refused, stored] = yield* Effect.all(
          [Effect.exit(late), Effect.exit(ledger.write([eventAppended(1, { session: other })]))],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual([refused._tag, stored._tag], ["Failure", "Success"])
        assert.deepStrictEqual([yield* ledger.lastEvent(id), yield* ledger.lastEvent(other)], [0, 1])
      })
    )
  )

  it.effect("the lease of an owner before stays for its own machine, and keeps nobody from another", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([joins(first, 0, "first"), joins(second, minute, "second"), opened(), claims(first)])
        yield* ledger.write([{ _tag: "LeaseOpened", lease: lease({ node: "first" }) }])
        const next = lease({ id: LeaseId.make("lea_2"), node: "second", generation: 2 })
        yield* declareDead(ledger, first)
        yield* ledger.write([claims(second), { _tag: "LeaseOpened", lease: next }])
        assert.deepStrictEqual(
          (yield* ledger.leases).map(({ id: key, node, session }) => [key, node, session]),
          [
            ["lea_1", "first", null],
            ["lea_2", "second", id]
          ]
        )
      })
    )
  )

  it.effect("a session is to be recovered by others only when no node owns it that is there", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        yield* ledger.write([
          joins(first, minute),
          opened({ state: "turning", substate: "turning.running" }),
          opened({ id: SessionId.make("ses_asleep") })
        ])
        assert.deepStrictEqual(yield* ledger.sessionsToRecover(1), [id])
        yield* ledger.write([claims(first)])
        assert.deepStrictEqual(yield* ledger.sessionsToRecover(1), [])
        yield* declareDead(ledger, first)
        assert.deepStrictEqual(yield* ledger.sessionsToRecover(1), [id])
        yield* ledger.write([{ _tag: "NodeRenewed", token: first, leaseMillis: 0, draining: false }])
        assert.deepStrictEqual(yield* ledger.sessionsToRecover(1), [])
        yield* ledger.write([{ _tag: "NodeLeft", token: first }])
        assert.deepStrictEqual(yield* ledger.sessionsToRecover(1), [id])
      })
    )
  )

  it.effect("a node is declared dead by the lease that was seen, and is not dead any more when it renews that", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const isDead = Effect.map(ledger.node(first), (node) => Option.getOrThrow(node).isDead)
        yield* ledger.write([joins(first, 0), joins(second, minute), opened(), claims(first)])
        const { leaseUntil } = Option.getOrThrow(yield* ledger.node(first))
        const declared = { _tag: "NodeDeclaredDead", token: first, leaseUntil: leaseUntil ?? 0 } as const
        yield* ledger.write([{ ...declared, leaseUntil: declared.leaseUntil - 1 }])
        assert.isFalse(yield* isDead)
        yield* ledger.write([declared])
        assert.isTrue(yield* isDead)
        const beside = (token: NodeToken) =>
          Effect.map(ledger.nodesBeside(token), (rows) => rows.map(({ node }) => node.token))
        assert.deepStrictEqual([yield* beside(first), yield* beside(second)], [[first, second], [second]])
        yield* ledger.write([{ _tag: "NodeRenewed", token: first, leaseMillis: minute, draining: false }])
        assert.isFalse(yield* isDead)
        // It was on its way for so long.
        yield* ledger.write([declared])
        assert.isFalse(yield* isDead)
        yield* failsAs(ledger, [claims(second)], "fenced", /belongs to another node/)
        assert.deepStrictEqual(yield* beside(second), [first, second])
      })
    )
  )

  it.effect("a node tells whom it asks, until it tells others or is started again where it was", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const told = Effect.map(ledger.node(first), (node) => {
          const { asks, asksUntil, leaseUntil } = Option.getOrThrow(node)
          return [asks, asksUntil === null ? null : asksUntil - (leaseUntil ?? 0)]
        })
        const renews = (more: object): LedgerWrite => ({
          _tag: "NodeRenewed",
          token: first,
          leaseMillis: 0,
          draining: false,
          ...more
        })
        yield* ledger.write([{ ...joins(first, minute, "name"), place: "here" } as LedgerWrite])
        assert.deepStrictEqual(yield* told, [[], null])
        yield* ledger.write([renews({ beyond: { asks: [second, third], millis: minute } })])
        const [asks, beyond] = yield* told
        assert.deepStrictEqual(asks, [second, third])
        assert.closeTo(Number(beyond), minute, 50)
        yield* ledger.write([renews({})])
        assert.deepStrictEqual((yield* told)[0], [second, third])
        yield* ledger.write([{ ...joins(second, 0, "name"), place: "elsewhere" } as LedgerWrite])
        assert.isNotNull((yield* told)[1])
        yield* ledger.write([{ ...joins(third, minute, "name"), place: "here" } as LedgerWrite])
        assert.deepStrictEqual(yield* told, [[second, third], null])
      })
    )
  )

  it.effect("a session that a later version of the chart has had is for no earlier one", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const chartOf = (session: SessionId) =>
          Effect.map(ledger.placeOf(session), (place) => Option.getOrThrow(place).chart)
        const restless = opened({ state: "turning", substate: "turning.running" })
        yield* ledger.write([joins(first, 0), joins(second, minute), restless])
        assert.strictEqual(yield* chartOf(id), 1)
        yield* ledger.write([claims(first, 2)])
        yield* declareDead(ledger, first)
        assert.strictEqual(yield* chartOf(id), 2)
        yield* failsAs(ledger, [claims(second)], "fenced", /a later version of Troupe has had it/)
        assert.deepStrictEqual([yield* ledger.sessionsToRecover(1), yield* ledger.sessionsToRecover(2)], [[], [id]])
        yield* ledger.write([claims(second, 3)])
        assert.strictEqual(yield* chartOf(id), 3)
        yield* ledger.write([{ ...(opened({ id: SessionId.make("ses_new") }) as SessionInserted), chart: 2 }])
        assert.strictEqual(yield* chartOf(SessionId.make("ses_new")), 2)
        yield* ledger.write([
          {
            _tag: "NodeJoined",
            node: { token: NodeToken.make("nod_new"), name: "new", url: null, version: "2", chart: 4 },
            leaseMillis: minute
          }
        ])
        assert.deepStrictEqual(
          (yield* ledger.nodes).map(({ chart, name }) => [name, chart]),
          [
            [second, 1],
            ["new", 4]
          ]
        )
      })
    )
  )

  it.effect("a session that is made by a node alone is its own from the beginning", () =>
    onLedger((ledger) =>
      Effect.gen(function* () {
        const { record, snapshot } = opened() as SessionInserted
        yield* ledger.write([joins(first, null), { _tag: "SessionInserted", record, snapshot, owner: first }])
        assert.deepStrictEqual(yield* ownerOf(ledger), { session: id, owner: first, epoch: 1 })
        yield* ledger.write([checks(first, 1), eventAppended(1)])
      })
    )
  )
}
