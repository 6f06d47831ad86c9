/** The scripted command handler: does what a prompt says instead of holding a process. */
import { Clock, Context, Effect, Layer, Ref } from "effect"
import type { Failure, SessionCommand } from "../../machines/session/machine.ts"
import { CommandHandler } from "../../src/session/CommandHandler.ts"
import type { TurnPrompt, SessionPort } from "../../src/session/CommandHandler.ts"
import { ProcessSlots } from "../../src/runtime/ProcessSlots.ts"
import { steeringMessage, updateMessage } from "../../src/domain/Acp.ts"
import type { SessionUpdate } from "../../src/domain/Acp.ts"
import type { SessionId } from "../../src/domain/Ids.ts"

/** What the hands were told to do, in order. */
export class Done extends Context.Service<Done, Ref.Ref<ReadonlyArray<SessionCommand & { readonly of: SessionId }>>>()(
  "test/Done"
) {
  static readonly layer = Layer.effect(Done, Ref.make<ReadonlyArray<SessionCommand & { readonly of: SessionId }>>([]))
}

const chunk = (text: string, messageId = "m1") =>
  updateMessage("thread", { sessionUpdate: "agent_message_chunk", messageId, content: { type: "text", text } })

const died = (message: string) =>
  Effect.map(Clock.currentTimeMillis, (at) => ({ failure: { class: "crash" as const, message }, at, jitter: 0 }))

/**
 * Directives, a word each: `hang` never ends, `die` exits mid-turn, `fail-auth` ends with an auth failure, `words N`
 * says N words, `fail-quota N` with a used-up account (to be asked again in N ms), `abort` says that its turn was aborted and ends it well (`unended`: not at all), `answer` gives a whole answer and never ends (`before` a tool, or `meanwhile` one runs and ends), `tool` ends a tool and goes silent (`tool talks` says one thing more first), `leave K…` asks leave for tools of these kinds at once and says
 * what was decided, `defect` throws in us. Anything else is echoed. Starts fail while `broken` is set.
 */
export class Rig extends Context.Service<
  Rig,
  { broken: string | null; deaf: boolean; exits: Map<SessionId, Effect.Effect<void>> }
>()("test/Rig") {
  static readonly layer = Layer.sync(Rig, () => ({ broken: null, deaf: false, exits: new Map() }))
}

export const RiggedHands = Layer.effect(
  CommandHandler,
  Effect.gen(function* () {
    const done = yield* Done
    const pool = yield* ProcessSlots
    const rig = yield* Rig
    const alive = new Set<SessionId>()
    const hanging = new Map<SessionId, { readonly port: SessionPort; readonly turn: number }>()

    const say = (port: SessionPort, turn: number, prompt: string) =>
      Effect.gen(function* () {
        const end = (failure: Failure | null, stopReason = "end_turn") =>
          port.post({
            event: { type: "turn.ended", turn, stopReason, failure },
            usage: { inputTokens: 3, cachedInputTokens: 1, outputTokens: 2, reasoningTokens: 0, totalTokens: 5 }
          })
        const tell = (update: SessionUpdate, of = turn) => port.append(of, updateMessage("thread", update))
        const [word, n] = prompt.split(" ")
        switch (word) {
          case "hang":
            return yield* port.append(turn, chunk("thinking"))
          case "die":
            yield* port.append(turn, chunk("half an ans"))
            return yield* port.post({ event: { type: "process.exited", ...(yield* died("it died")) } })
          case "answer": {
            const whole = {
              messageId: "m1",
              content: { type: "text", text: "Done." },
              _meta: { "troupe/completed": true }
            }
            const call = { toolCallId: "t", title: "a tool", kind: "other" }
            if (n === "meanwhile") yield* tell({ sessionUpdate: "tool_call", ...call, status: "in_progress" })
            yield* tell({ sessionUpdate: "agent_message_chunk", ...whole })
            if (n === "before") yield* tell({ sessionUpdate: "tool_call", ...call, status: "completed" })
            if (n === "meanwhile")
              yield* tell({ sessionUpdate: "tool_call_update", toolCallId: "t", status: "completed" })
            return
          }
          case "abort":
            yield* port.append(turn, chunk("As far as I got. <turn_"))
            yield* port.append(turn, chunk("aborted>You stopped me.</turn_aborted>"))
            return n === "unended" ? undefined : yield* end(null)
          case "late":
            yield* tell({ sessionUpdate: "tool_call", toolCallId: "a", kind: "execute", status: "completed" })
            yield* tell({ sessionUpdate: "tool_call", toolCallId: "b", kind: "execute", status: "in_progress" })
            return yield* end(null)
          case "late-ends":
            yield* tell({ sessionUpdate: "tool_call_update", toolCallId: "b", status: "completed" }, 1)
            return yield* end(null)
          case "speak-of-abort":
            yield* port.append(turn, chunk("Codex writes `<turn_aborted>` then."))
            return n === "unended" ? undefined : yield* end(null)
          case "fail-quota": {
            const retryAt = n === undefined ? {} : { retryAt: (yield* Clock.currentTimeMillis) + Number(n) }
            return yield* end({ class: "quota", message: "used up", ...retryAt }, "error")
          }
          case "fail-auth":
            return yield* end({ class: "auth", message: "log in again" }, "error")
          case "tool":
            yield* port.append(
              turn,
              updateMessage("thread", { sessionUpdate: "tool_call", toolCallId: "t", status: "completed" })
            )
            return n === undefined ? undefined : yield* port.append(turn, chunk("thinking"))
          case "leave": {
            const asked = prompt.split(" ").slice(1)
            const decisions = yield* Effect.forEach(
              asked,
              (kind, nth) =>
                port.requestApproval({
                  id: `${nth}`,
                  turn,
                  kind,
                  title: `use ${kind}`,
                  toolCallId: `t${nth}`,
                  raw: { kind }
                }),
              { concurrency: "unbounded" }
            )
            yield* port.append(turn, chunk(decisions.join(" ")))
            return yield* end(null)
          }
          case "defect":
            return yield* Effect.die(new Error("a bug of ours"))
          case "words":
            for (let i = 0; i < Number(n); i++) yield* port.append(turn, chunk(`w${i} `))
            return yield* end(null)
          default:
            yield* port.append(turn, chunk(`you said: ${prompt}`))
            return yield* end(null)
        }
      })

    const compact = (port: SessionPort, turn: number) =>
      Effect.gen(function* () {
        const done = { sessionUpdate: "session_info_update", _meta: { "troupe/compaction": "completed" } }
        yield* port.append(turn, updateMessage("thread", done))
        yield* port.append(turn, updateMessage("thread", { sessionUpdate: "usage_update", used: 7, size: 1_000 }))
        yield* port.post({ event: { type: "turn.ended", turn, stopReason: "end_turn", failure: null } })
      })

    const ask = (port: SessionPort, turn: number, { kind, prompt }: TurnPrompt) => {
      if (prompt === "hang") hanging.set(port.record().id, { port: port, turn })
      return kind === "compact" ? compact(port, turn) : say(port, turn, prompt)
    }

    const end = (session: SessionId) =>
      Effect.sync(() => {
        hanging.delete(session)
        alive.delete(session)
        rig.exits.delete(session)
        pool.release(session)
      })

    return CommandHandler.of({
      perform: Effect.fnUntraced(function* (port, command): Effect.fn.Return<void> {
        const { app, id: session } = port.record()
        yield* Ref.update(done, (all) => [...all, { ...command, of: session }])
        switch (command.type) {
          case "takeSlot": {
            const answer = yield* pool.take({ app, session, ...command.params })
            const event = answer === "granted" ? "slot.granted" : "slot.refused"
            return yield* port.post({ event: { type: event, reason: "full" } })
          }
          case "releaseSlot":
            return pool.release(session)
          case "startProcess": {
            if (rig.broken === "never") return
            if (rig.broken !== null) {
              return yield* port.post({ event: { type: "process.failed", ...(yield* died(rig.broken)) } })
            }
            alive.add(session)
            rig.exits.set(
              session,
              Effect.flatMap(died("killed from outside"), (death) =>
                port.post({ event: { type: "process.exited", ...death } })
              )
            )
            const at = yield* Clock.currentTimeMillis
            const thread = command.params.thread ?? `thread of ${session}`
            return yield* port.post({ event: { type: "process.ready", thread, at }, contextLost: null })
          }
          case "handPrompt":
            return yield* ask(port, command.params.turn, yield* port.promptOf(command.params.turn))
          case "interruptTurn": {
            if (rig.deaf) return
            const { turn } = command.params
            return yield* port.post({ event: { type: "turn.ended", turn, stopReason: "cancelled", failure: null } })
          }
          case "endProcess":
            yield* end(session)
            return yield* port.post({ event: { type: "process.gone" } })
          default:
        }
      }),
      steer: (session, text) => {
        const found = hanging.get(session)
        if (found === undefined) return Effect.succeed({ _tag: "NoTurn" })
        if (rig.deaf) return Effect.succeed({ _tag: "NotSupported", problem: "It is deaf." })
        return Effect.as(found.port.append(found.turn, steeringMessage("thread", text)), { _tag: "Steered" } as const)
      },
      drop: end,
      pid: (session) => (alive.has(session) ? 4242 : null),
      lease: () => null,
      sessionsWithProcess: () => [...alive]
    })
  })
)
