/**
 * Bugs to be planted into the source, each of which the simulation must find: that is how it is known to see anything.
 *
 * A plant replaces one piece of text in one file while that is loaded. Where the text is not there any more, or more than
 * once, the plant has to be written anew for the code as it is now.
 */
import { readFileSync } from "node:fs"
import { registerHooks } from "node:module"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** A file of the source, and what is another text in it. Each text is there once. */
export interface Patch {
  readonly file: string
  readonly replace: ReadonlyArray<readonly [text: string, by: string]>
}

export interface Plant extends Patch {
  readonly name: string
  /** How many nodes it takes to be seen; absent: one. */
  readonly nodes?: number
  /** The written history that shows it (`histories.ts`); absent: it is looked for in drawn ones. */
  readonly shownBy?: string
}

export const plants: ReadonlyArray<Plant> = [
  {
    name: "a turn is settled twice",
    file: "src/session/commit.ts",
    replace: [
      [
        "settled.push(settlement)",
        'settled.push(settlement); entries.push(outcome(record, { ...settlement, status: "failed" }, at, usage))'
      ]
    ]
  },
  {
    name: "a prompt is handed over again after a restart",
    file: "src/session/SessionActor.ts",
    replace: [["const claimed = !isPending &&", "const claimed = false && !isPending &&"]]
  },
  {
    name: "a prompt that is handed over stays in the outbox",
    file: "src/session/commit.ts",
    replace: [["    if (claimed) continue\n", ""]]
  },
  {
    name: "stored timers are not armed again",
    file: "src/session/SessionActor.ts",
    replace: [["timers.arm({ timer, dueAt, event: event as SessionEvent })", "void [timer, dueAt, event]"]]
  },
  {
    name: "a disarmed timer fires all the same",
    file: "src/session/SessionTimers.ts",
    replace: [
      ["if (fired?.arming !== arming) return false", "if (fired === undefined) return true"],
      ["    this.#all.disarm(`${this.#id} ${timer}`)\n", ""]
    ]
  },
  {
    name: "a slot is not given back at the end of a process",
    file: "src/supervision/AgentProcesses.ts",
    replace: [["    slots.release(session)\n", ""]]
  },
  {
    name: "the pool has one slot more than it says",
    file: "src/runtime/ProcessSlots.ts",
    replace: [
      ["while (slots.size < size)", "while (slots.size <= size)"],
      ["if (slots.size < size && waiting.length === 0)", "if (slots.size <= size && waiting.length === 0)"]
    ]
  },
  {
    name: "a spare that was taken keeps its place",
    file: "src/supervision/Spares.ts",
    replace: [["    slots.removeSpare(entry)\n    taken(spare)", "    taken(spare)"]]
  },
  {
    name: "a spare is there for two sessions",
    file: "src/supervision/Spares.ts",
    replace: [
      ['    entry.state = "reserved"\n', ""],
      ['if (!entries.has(entry) || entry.state !== "reserved")', "if (!entries.has(entry))"],
      ["    entries.delete(entry)\n    slots.removeSpare(entry)\n    taken", "    slots.removeSpare(entry)\n    taken"]
    ]
  },
  {
    name: "a spare that nobody has wanted for long is kept",
    file: "src/supervision/Spares.ts",
    replace: [["&& wants.has(entry.spec, now) &&", "&&"]]
  },
  {
    name: "a spare that is given up keeps its lease",
    file: "src/supervision/Spares.ts",
    replace: [["    fork(Effect.retry(ledger.write(closed)", "    void (Effect.retry(ledger.write(closed)"]]
  },
  {
    name: "no spare is given up for a session",
    file: "src/runtime/ProcessSlots.ts",
    replace: [
      ["if (takesSpare) unsettled.add(session)\n        giveUpSpares()", ""],
      ["if (unsettled.delete(session)) giveUpSpares()", ""]
    ]
  },
  {
    name: "the session that was used last makes room",
    file: "src/runtime/ProcessSlots.ts",
    replace: [["for (const [session, { use }] of slots)", "for (const [session, { use }] of [...slots].reverse())"]]
  },
  {
    name: "events are skipped for a reader that falls behind",
    file: "src/runtime/EventFeed.ts",
    replace: [
      ["const readerCapacity = 4_096", "const readerCapacity = 1"],
      ["          reader.isBehind = true\n        } else", "        } else"],
      ["if (fresh[0].seq !== last + 1) {", "if (false) {"]
    ]
  },
  {
    name: "events are published before they are stored",
    file: "src/session/Journal.ts",
    replace: [
      ["return this.#writes.write(", "this.#tell({ events, characters })\n      return this.#writes.write("],
      ["Effect.map(this.#write([]), (stored) => this.#tell(stored))", "Effect.asVoid(this.#write([]))"]
    ]
  },
  {
    name: "a lease is not written",
    file: "src/supervision/ownOrSpare.ts",
    replace: [
      [
        "const record = { id: lease, session: port.record().id,",
        "const record = { id: `no-${lease}` as never, session: null,"
      ]
    ]
  },
  {
    name: "the processes of a dead Troupe are left alone",
    file: "src/supervision/recovery.ts",
    replace: [
      [
        "const reaped = yield* processes.reap({ lease, pid, startTime, bootId, supervisor })",
        'const reaped = (void [pid, startTime, bootId, supervisor, processes], { _tag: "Ended", found: 0, left: 0 }) as any'
      ]
    ]
  },
  {
    name: "children that left their group are left alone",
    file: "src/supervision/AgentProcesses.ts",
    replace: [["const left = yield* processes.sweep(lease)", "const left = 0"]]
  },
  {
    name: "an accepted turn is answered before it is stored",
    file: "src/ledger/sql/Writer.ts",
    replace: [
      [
        "if (Queue.offerUnsafe(queue, job)) return Deferred.await(done)",
        "if (Queue.offerUnsafe(queue, job)) return Effect.void"
      ]
    ]
  },
  {
    name: "the wait for a restart never grows",
    file: "machines/session/restarts.ts",
    replace: [["2 ** (attempt - 1)", "1"]]
  },
  {
    name: "a start forgives all deaths",
    file: "machines/session/setup.ts",
    replace: [["restarts: { ...context.restarts, backoffMillis: 0 }", "restarts: noRestarts"]]
  },
  {
    name: "turns in line are forgotten when their session is parked",
    file: "machines/session/machine.ts",
    replace: [['actions: [...failQueue, "noteGone"]', 'actions: ["dropQueue", "noteGone"]']]
  },
  {
    name: "an actor is unloaded while its commands are performed",
    file: "src/session/Outbox.ts",
    replace: [["return this.#performing === 0\n", "return true\n"]]
  },
  {
    name: "an actor ends in the middle of an envelope",
    file: "src/session/SessionActor.ts",
    replace: [
      [": Effect.void\n    }).pipe(Effect.uninterruptible)", ": Effect.void\n    })"],
      ["LedgerError>)\n  }, Effect.uninterruptible)", "LedgerError>)\n  })"]
    ]
  },
  {
    name: "an actor spins while its journal has something to wait for",
    file: "src/session/Journal.ts",
    replace: [["&& !this.#isStoring\n", "&& !this.#isStoring && this.#waitsFor === null\n"]]
  },
  {
    name: "a lease whose end could not be stored is forgotten",
    file: "src/supervision/AgentProcesses.ts",
    replace: [["if (isClosing) return", "if (true) return"]]
  },
  {
    name: "a next process does not close the lease of the last",
    file: "src/supervision/AgentProcesses.ts",
    replace: [["leases === undefined ? Effect.void : storeEnd(session, leases)", "void leases, Effect.void"]]
  },
  {
    name: "an open approval outlives its turn",
    file: "src/session/approvalEntries.ts",
    replace: [["if (id !== settledNow && !open.has(id))", "if (false)"]]
  },
  {
    name: "the end of another turn ends this one",
    file: "machines/session/setup.ts",
    replace: [
      [
        'event.type === "turn.ended" && event.turn === context.turn && event.failure === null,',
        'event.type === "turn.ended" && context.turn > 0 && event.failure === null,'
      ]
    ]
  },
  {
    name: "what an agent says is stored whoever owns its session",
    nodes: 2,
    file: "src/session/Journal.ts",
    replace: [
      ["    news,\n    webhooks:", "    ledger,\n    news,\n    webhooks:"],
      ["this.#writes.write([...", "(entries.length === 0 ? this.#services.ledger : this.#writes).write([..."]
    ]
  },
  {
    name: "what comes of a turn behind its end is not among its events",
    file: "src/session/Journal.ts",
    replace: [["...late, ", ""]]
  },
  {
    name: "the bounds of a turn that ends leave its end out",
    file: "src/session/commit.ts",
    replace: [["last: last + messages.length }", "last }"]]
  },
  {
    name: "a submission's name is not stored with its turn",
    file: "src/ledger/sql/tables/turns.ts",
    replace: [["submission?.id ?? null, submission?.fingerprint ?? null", "(void submission, null), null"]]
  },
  {
    name: "a submission that comes again is looked for without its session",
    file: "src/ledger/sql/tables/turns.ts",
    replace: [
      [
        "FROM turns WHERE session = ? AND submission = ?",
        "FROM turns WHERE submission = ?2 AND ?1 <> '' ORDER BY session"
      ]
    ]
  },
  {
    name: "the owner is looked at before the commit, and not in it",
    nodes: 2,
    file: "src/session/ClaimedWrites.ts",
    replace: [
      ["import type { Effect }", "import { Effect }"],
      [
        "this.#ledger.write([this.#checked, ...entries])",
        "Effect.andThen(this.#ledger.write([this.#checked]), this.#ledger.write(entries))"
      ]
    ]
  },
  {
    name: "a commit whose answer was lost is made again",
    file: "src/ledger/sql/Writer.ts",
    replace: [["(stored ? Effect.void : attempt)", "(stored && false ? Effect.void : attempt)"]]
  },
  {
    name: "a process is let go of before it is gone",
    file: "src/supervision/AgentProcesses.ts",
    replace: [
      [
        "    if (agentProcess !== undefined) {\n      const { opening }",
        `    if (agentProcess !== undefined && agentProcess.connection !== null) {
      agentProcesses.delete(session)
      yield* closeLeases(session, [agentProcess.lease])
      slots.release(session)
      yield* Effect.sleep("3 seconds").pipe(
        Effect.andThen(processes.signal(agentProcess.lease, "SIGKILL")),
        Effect.andThen(Scope.close(agentProcess.scope, Exit.void)),
        Effect.forkIn(scope)
      )
      return true
    }
    if (agentProcess !== undefined) {
      const { opening }`
      ]
    ]
  },
  {
    name: "a session is claimed from a node that lives",
    nodes: 2,
    file: "src/ledger/sql/tables/nodes.ts",
    replace: [["owner = ?1\n        OR NOT", "owner = ?1 OR 1 = 1\n        OR NOT"]]
  },
  {
    name: "an agent is started under a lease that is over",
    nodes: 2,
    file: "src/runtime/ThisNode.ts",
    replace: [["extending(write([renewal(), ...rest]))", "extending(write(rest))"]]
  },
  {
    name: "who could not reach the ledger takes all others for dead",
    nodes: 2,
    shownBy: "no node reaches the database for longer than a lease, and the one without an agent does first",
    file: "src/runtime/ThisNode.ts",
    replace: [["contact.isSteady(heard) ? deadNodes", "heard !== null ? deadNodes"]]
  },
  {
    name: "a node that holds off declares others dead all the same",
    nodes: 2,
    shownBy: "a node that can't reach the database for a moment is asked in that moment",
    file: "src/runtime/NodeContact.ts",
    replace: [["    this.#since = now\n    return this.#leaseMillis\n", "    return this.#leaseMillis\n"]]
  },
  {
    name: "a node that reaches the ledger holds off, and declares others dead all the same",
    nodes: 2,
    shownBy: "one node can't reach the database, and the other one does",
    file: "src/runtime/NodeContact.ts",
    replace: [
      [
        "if (this.#last === null || !this.#isAgo(this.#last.heard, now, outOfContact)) return null",
        "void outOfContact"
      ],
      ["    this.#since = now\n    return this.#leaseMillis\n", "    void now\n    return this.#leaseMillis\n"]
    ]
  },
  {
    name: "agents go on whatever the other nodes answer",
    nodes: 2,
    shownBy: "one node can't reach the database, and the other one does",
    file: "src/runtime/beyondLease.ts",
    replace: [
      ["if (no !== undefined) {", "if (no === null) {"],
      ["millis ?? 0)", "millis ?? leaseMillis)"],
      ["`The ledger can't be reached from here, and node ${no.name} ${no.why}:", "`${String(no)}:"]
    ]
  },
  {
    name: "agents go on without an end while those say so that were there",
    nodes: 2,
    shownBy: "a node that was the only one can't reach the database, and another one joins",
    file: "src/runtime/beyondLease.ts",
    replace: [["later(told.began, beyondMillis)", "later(told.began, 100 * beyondMillis)"]]
  },
  {
    name: "a node that joined since declares one dead that does not know of it",
    nodes: 2,
    shownBy: "a node that was the only one can't reach the database, and another one joins",
    file: "src/runtime/deadNodes.ts",
    replace: [
      ["asksUntil === null || asks.includes(self)", "asksUntil === null || asks.includes(self) || asks !== null"]
    ]
  },
  {
    name: "a node is declared dead by a lease that it has renewed since",
    nodes: 2,
    shownBy: "a node is declared dead by a commit that is held, and has renewed its lease when that takes place",
    file: "src/ledger/sql/tables/nodes.ts",
    replace: [
      [
        "WHERE token = ? AND lease_until = ? ${dialect.taken})",
        "WHERE token = ? AND lease_until <> -1 * ? ${dialect.taken})"
      ]
    ]
  },
  {
    name: "a session is let go of before its process is gone",
    nodes: 2,
    file: "src/supervision/Supervisor.ts",
    replace: [
      [
        "          drainState.letGo(id)\n          yield* commandHandler.drop(id)\n",
        "          drainState.letGo(id)\n"
      ],
      ["if (isAlone || commandHandler.sessionsWithProcess().includes(id)) return", "if (isAlone) return"]
    ]
  },
  {
    name: "what a dead node leaves is taken over by nobody",
    nodes: 2,
    file: "src/supervision/recovery.ts",
    replace: [["  if (leaseMillis === null) return\n", "  if (Number(leaseMillis) > 0) return\n"]]
  }
]

const root = join(import.meta.dirname, "..", "..")

/** Where a plant can't be planted, what is wrong with it. */
export const problemOf = ({ file, replace }: Patch): string | null => {
  const source = readFileSync(join(root, file), "utf8")
  for (const [text] of replace) {
    const times = source.split(text).length - 1
    if (times !== 1) return `${file} has ${JSON.stringify(text)} ${times} times`
  }
  return null
}

/** The source of a file with the plant in it. */
export const planted = ({ replace }: Patch, source: string): string =>
  replace.reduce((text, [from, to]) => text.replace(from, () => to), source)

/** For modules that are loaded from now on. */
export const plant = (bug: Plant): void => {
  const path = join(root, bug.file)
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      if (!url.startsWith("file:") || fileURLToPath(url) !== path) return loaded
      return { ...loaded, source: planted(bug, String(loaded.source)) }
    }
  })
}
