/**
 * Asks a node to take no further sessions and to let go of those that it has, or to take sessions again. By a row of the
 * database, which the node reads when it renews its lease: it needs no address, and no secret.
 */
import { Effect, Schedule, Schema } from "effect"
import { Ledger, LedgerError } from "../ledger/Ledger.ts"
import type { NodeRecord } from "../ledger/Ledger.ts"

/** A node reads it a few times in each lease. */
const heardWithin = "30 seconds"
const lookAgain = Schedule.spaced("100 millis")
const askedTimes = 50

/** Why a node is not drained, or not taken back, and what to do. */
export class NodeRefused extends Schema.TaggedError<NodeRefused>()("NodeRefused", {
  code: Schema.Literals(["unknown_node", "last_node", "node_ending", "node_silent"]),
  problem: Schema.String
}) {
  override get message() {
    return this.problem
  }
}

const refuse = (code: NodeRefused["code"], problem: string) => new NodeRefused({ code, problem })

const find = Effect.fnUntraced(function* (name: string) {
  const nodes = yield* Ledger.use((ledger) => ledger.nodes)
  const node = nodes.find((one) => one.name === name)
  if (node !== undefined) return { node, nodes }
  const names = nodes.map((one) => one.name).join(", ")
  const there = names === "" ? "No node works on the database." : `Those that do: ${names}.`
  return yield* refuse("unknown_node", `No node called ${JSON.stringify(name)} works on the database. ${there}`)
})

/** The node as it is when it has heard of it. */
const heard = Effect.fnUntraced(function* (name: string, isSo: (node: NodeRecord) => boolean) {
  return yield* find(name).pipe(
    Effect.map(({ node }) => node),
    Effect.repeat({ schedule: lookAgain, until: isSo }),
    Effect.timeoutOrElse({
      duration: heardWithin,
      orElse: () => Effect.fail(refuse("node_silent", silent(name)))
    })
  )
})

const silent = (name: string) =>
  `Node ${name} was asked, and has not taken note of it within ${heardWithin}. It will when it reaches the database again; troupe node ls shows its lease.`

/** Asks the node, where another one takes sessions. That is decided by the commit: the last two may be asked at once. */
const ask = Effect.fnUntraced(function* (name: string) {
  const { node, nodes } = yield* find(name)
  if (!nodes.some((other) => other.token !== node.token && !other.draining && !other.drainAsked)) {
    return yield* refuse(
      "last_node",
      `Node ${name} is the last one that takes sessions: nobody would go on with them. Start another one, or undrain one, first. To stop this one, send it SIGTERM.`
    )
  }
  yield* Ledger.use((ledger) => ledger.write([{ _tag: "NodeDrainAsked", token: node.token, asked: true }]))
})

const isUnmet = (error: unknown): boolean => error instanceof LedgerError && error.kind === "unmet"

/** Succeeds when the node takes no more sessions; `isChanged`: it did before. */
export const drain = Effect.fnUntraced(function* (name: string) {
  const { node } = yield* find(name)
  if (node.draining) return { isChanged: false }
  // Another one was asked at the same moment: then this one may be the last.
  yield* Effect.retry(ask(name), { schedule: lookAgain, times: askedTimes, while: isUnmet })
  yield* heard(name, ({ draining }) => draining)
  return { isChanged: true }
})

/** Succeeds when the node takes sessions; `isChanged`: it did not before. */
export const undrain = Effect.fnUntraced(function* (name: string) {
  const { node } = yield* find(name)
  if (node.draining && !node.drainAsked) {
    return yield* refuse("node_ending", `Node ${name} is being stopped, and can't be taken back. Start it again.`)
  }
  if (!node.draining && !node.drainAsked) return { isChanged: false }
  yield* Ledger.use((ledger) => ledger.write([{ _tag: "NodeDrainAsked", token: node.token, asked: false }]))
  yield* heard(name, ({ draining }) => !draining)
  return { isChanged: true }
})

/** Waits until a node that drains has let go of all its sessions, or has ended. */
export const emptied = Effect.fnUntraced(function* (name: string) {
  const owns = Effect.gen(function* () {
    const ledger = yield* Ledger
    const node = (yield* ledger.nodes).find((one) => one.name === name)
    return node !== undefined && (yield* ledger.claimsOf(node.token, [], 1)).length > 0
  })
  yield* Effect.repeat(owns, { schedule: lookAgain, until: (left) => !left })
})
