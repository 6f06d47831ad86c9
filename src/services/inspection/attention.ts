/** Gathers what may need a person, of the sessions that the caller sees, and asks the rules (`domain/attention.ts`). */
import { Clock, Effect } from "effect"
import { stateInfo } from "../../../machines/session/stateInfo.ts"
import type { StateInfo } from "../../../machines/session/stateInfo.ts"
import { Nodes } from "../../cluster/Nodes.ts"
import { attentionBoundsOf, needsAttention } from "../../domain/attention.ts"
import type { Attention, Situation } from "../../domain/attention.ts"
import { heldUp } from "../../domain/heldUp.ts"
import { Ledger } from "../../ledger/Ledger.ts"
import type { WaitingSession } from "../../ledger/Ledger.ts"
import { appFilter } from "../../runtime/Caller.ts"
import type { Caller } from "../../runtime/Caller.ts"
import { cannot } from "../../runtime/errors.ts"
import { RuntimeSettings } from "../../runtime/RuntimeSettings.ts"
import { ThisNode } from "../../runtime/ThisNode.ts"
import { CircuitBreaker } from "../../supervision/CircuitBreaker.ts"
import { SessionHost } from "../../supervision/SessionHost.ts"
import { processesOf } from "./processesOf.ts"

/** Of each kind at most so many are looked at, and as many are answered in all: nobody looks through more. */
const mostAttention = 500

/** So many silent sessions have their processes looked at, the longest silent first: each is a look at the system. */
const mostExamined = 20

const namesOf = (isMeant: (info: StateInfo) => boolean) =>
  Object.values(stateInfo).flatMap((info) => (isMeant(info) ? [info.name as string] : []))

const parkedStates = namesOf(({ waitsFor }) => waitsFor === "unpark")
const lineStates = namesOf(({ waitsFor }) => waitsFor === "slot")
/** One that waits for a person says nothing, and nothing is wrong with it. */
const workStates = namesOf(({ tags }) => tags.has("agentAtWork") && !tags.has("approvalsOpen"))

export const make = Effect.gen(function* () {
  const breaker = yield* CircuitBreaker
  const host = yield* SessionHost
  const ledger = yield* Ledger
  const nodes = yield* Nodes
  const { isAlone } = yield* ThisNode
  const bounds = attentionBoundsOf((yield* RuntimeSettings).limits)

  const circuits = Effect.gen(function* () {
    if (isAlone) {
      return breaker
        .open(yield* Clock.currentTimeMillis)
        .map((circuit) => ({ ...circuit, node: null as string | null }))
    }
    return (yield* nodes.seen).flatMap(({ name, state }) =>
      (state?.circuits ?? []).map((circuit) => ({ ...circuit, node: name as string | null }))
    )
  })

  /** By the owner's word: when its agent wrote something last. Of one that does not answer nothing is said. */
  const atWork = Effect.fnUntraced(function* (sessions: ReadonlyArray<WaitingSession>, now: number) {
    if (sessions.length === 0) return []
    const looked = yield* host.look({ sessions: sessions.map(({ id }) => id), parts: [] })
    const heard = sessions.flatMap((session, nth) => {
      const look = looked[nth]
      if (look?._tag !== "Seen" || look.actor?.state !== session.substate) return []
      const { heardAt, since, tools = [] } = look.actor
      // What is usual was counted while no tool ran: of a tool it says nothing.
      const usualSilenceMillis = tools.length > 0 ? null : (look.usualSilence ?? null)
      const hasTool = tools.length > 0
      return [{ session, pid: look.pid, heardAt: Math.max(since, heardAt ?? 0), usualSilenceMillis, hasTool }]
    })
    const silent = heard
      .filter(({ heardAt }) => now - heardAt >= bounds.stoppedMillis)
      .toSorted((a, b) => a.heardAt - b.heardAt)
      .slice(0, mostExamined)
    const trees = yield* processesOf(
      host,
      silent.map(({ session }) => session.id)
    )
    return heard.map(({ hasTool, pid, session, ...known }): Situation => {
      const processes = trees.get(session.id) ?? []
      const used = processes.reduce((sum, { cpu }) => sum + (cpu ?? 0), 0)
      // A tool may compute as long as it likes.
      const work = { heldUp: heldUp(processes, pid), used: hasTool ? 0 : used }
      return { _tag: "AtWork", ...nameOf(session), ...known, ...work }
    })
  })

  return Effect.fnUntraced(function* (caller: Caller) {
    const app = appFilter(caller)
    const now = yield* Clock.currentTimeMillis
    const waiting = (substates: ReadonlyArray<string>) => ledger.waitingSessions(app, substates, mostAttention)
    const situations: ReadonlyArray<Situation> = [
      // Which agents this machine starts is no app's business; its sessions say what failed.
      ...(app === null ? yield* circuits : []).map((circuit): Situation => ({ _tag: "CircuitOpen", ...circuit })),
      ...(yield* ledger.inbox(app, mostAttention)).map(
        ({ agent, app, createdAt: at, fields, id: approval, session, title, turn }): Situation => ({
          _tag: "Asked",
          session,
          app,
          agent,
          turn,
          approval,
          title,
          isQuestion: fields !== null,
          at
        })
      ),
      ...(yield* waiting(parkedStates)).map((session): Situation => ({
        _tag: "Parked",
        ...nameOf(session),
        reason: session.reason,
        since: session.since,
        until: session.nextDueAt
      })),
      ...(yield* waiting(lineStates)).map((session): Situation => ({
        _tag: "Queued",
        ...nameOf(session),
        since: session.since
      })),
      ...(yield* ledger.failedLastTurns(app, now - bounds.failedMillis, mostAttention)).map(
        ({ id: session, ...failed }): Situation => ({ _tag: "Failed", session, ...failed })
      ),
      ...(yield* atWork(yield* waiting(workStates), now))
    ]
    const found: ReadonlyArray<Attention> = needsAttention(situations, now, bounds)
    return { found: found.slice(0, mostAttention), isCut: found.length > mostAttention }
  }, cannot("look for what needs somebody"))
})

const nameOf = ({ agent, app, id: session, turn }: WaitingSession) => ({ session, app, agent, turn })
