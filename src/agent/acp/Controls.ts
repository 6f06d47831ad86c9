/**
 * Model, mode and effort of an ACP session: what is set, and what a turn needs to be set.
 *
 * A request is sent only where a value differs. What was not asked for is left as the agent has it; what one turn asked
 * for is taken back before the next. The mode is the exception: without a wish it is one that keeps the permissions.
 */
import { Effect } from "effect"
import type { SessionUpdate } from "../../domain/Acp.ts"
import { nonEmptyTextIn } from "../../domain/json.ts"
import type { PermissionPolicy } from "../../domain/Permissions.ts"
import type { Choices } from "../../domain/Session.ts"
import { AgentFailed } from "../Agent.ts"
import type { RpcError, RpcSilent } from "../RpcError.ts"
import type { Announced } from "./handshake.ts"
import * as Modes from "./modes.ts"
import * as Offers from "./offers.ts"
import type { Offered, Setting } from "./offers.ts"
import type { SendRequest } from "./request.ts"
import { line } from "./sentence.ts"
import type { TurnTracker } from "./TurnTracker.ts"

/** `null`: no wish. */
export type Wishes = Readonly<Record<Setting, string | null>>

export interface Controls {
  /** Takes what a reply offers that opens a session. What turns have set before is still taken back. */
  readonly opened: (reply: unknown) => void
  /** Says what the agent has by itself, where the conversation that it goes on with has something else. `null`: it does not. */
  readonly own: (setting: Setting, value: string | null) => void
  /** Takes what an update of the session says about its settings. */
  readonly receive: (update: SessionUpdate) => void
  readonly choices: () => Choices
  readonly current: (setting: Setting) => string | null
  readonly offers: (setting: Setting) => boolean
  /**
   * Done when it is called, where nothing has to be sent. `custom`: a model of this name was given to the agent in another
   * way, so its list need not have it.
   */
  readonly apply: (
    thread: string,
    wishes: Wishes,
    custom?: string | null
  ) => Effect.Effect<void, AgentFailed | RpcError | RpcSilent>
}

const withinMillis = 10_000

/** The effort last, because the model decides which there are. */
const inOrder: ReadonlyArray<Setting> = ["mode", "model", "effort"]

export const make = (
  send: SendRequest,
  tracker: TurnTracker,
  { agent }: Pick<Announced, "agent">,
  permissions: PermissionPolicy
): Controls => {
  let offered: Offered = {}
  /** What was set here, and what was set before that; absent: it is as the agent has it. */
  const changed = new Map<Setting, { readonly before: string | null; readonly value: string | null }>()

  const problemOf = (mode: string) => Modes.modeProblem(agent, tracker.identity.name, mode, permissions)
  const offerOf = (setting: Setting) => Offers.offerOf(offered, setting)
  const isOffered = (setting: Setting, value: string) =>
    offerOf(setting)?.values.some(({ id }) => id === value) === true

  /** Where the agent itself has gone to a mode that widens nothing, as Claude does to plan, it stays there. */
  const modeWithoutWish = (): string | null => {
    const current = offerOf("mode")?.current ?? null
    const mode = Modes.modesFor(agent, permissions).find((id) => isOffered("mode", id)) ?? null
    const set = changed.get("mode")
    const isOwn = set !== undefined && current !== null && current !== set.value
    return isOwn && problemOf(current) === null ? current : mode
  }

  /** `null`: leave it. */
  const target = (setting: Setting, wish: string | null): string | null => {
    if (wish !== null) return wish
    if (setting === "mode") return modeWithoutWish()
    const before = changed.get(setting)?.before ?? null
    return before !== null && isOffered(setting, before) ? before : null
  }

  const unknown = (setting: Setting, value: string) => {
    const { name } = tracker.identity
    const ids = (offerOf(setting)?.values ?? []).map(({ id }) => id)
    const message =
      ids.length === 0
        ? `${name} lets its client choose no ${setting}. Leave ${setting} out, and set it in the agent's own configuration.`
        : `${name} does not know the ${setting} ${line(value, 80)}. It takes: ${line(ids.join(", "), 600)}.`
    return new AgentFailed({ class: "config", message })
  }

  const set = (thread: string, setting: Setting, value: string, isForced: boolean) =>
    Effect.gen(function* () {
      const offer = offerOf(setting)
      if (offer === null || !offer.values.some(({ id }) => id === value)) return yield* unknown(setting, value)
      if (offer.current === value && !isForced) return
      const { method, params } = offer.set(value)
      // In wire order: an update right behind the reply may already say something newer.
      yield* send(method, { sessionId: thread, ...params }, withinMillis, (reply) => {
        offered = Offers.withCurrent(Offers.merged(offered, reply), setting, value)
      })
    })

  const apply: Controls["apply"] = Effect.fnUntracedEager(function* (thread, wishes, custom = null) {
    const problem = wishes.mode === null ? null : problemOf(wishes.mode)
    if (problem !== null) return yield* new AgentFailed({ class: "config", message: problem })
    for (const setting of inOrder) {
      const wish = wishes[setting]
      const value = target(setting, wish)
      if (value === null || (setting === "model" && value === custom && !isOffered("model", value))) continue
      const before = changed.has(setting) ? (changed.get(setting)?.before ?? null) : (offerOf(setting)?.current ?? null)
      // The mode is set once in any case: a resumed Claude has been seen in another than it said.
      yield* set(thread, setting, value, setting === "mode" && !changed.has("mode"))
      if (wish === null && setting !== "mode") changed.delete(setting)
      else changed.set(setting, { before, value })
    }
  })

  return {
    opened: (reply) => {
      changed.delete("mode")
      offered = Offers.merged(offered, reply)
    },
    own: (setting, value) => {
      if (value !== null) changed.set(setting, { before: value, value: null })
    },
    receive: (update) => {
      if (update.sessionUpdate === "config_option_update") offered = Offers.merged(offered, update)
      if (update.sessionUpdate === "config_option_update" || update.sessionUpdate === "current_mode_update") {
        const option = Offers.optionValue(offered, "mode")
        const mode = nonEmptyTextIn(update["currentModeId"]) ?? option
        if (mode !== null) offered = Offers.withCurrent(offered, "mode", mode)
      }
    },
    choices: () => Offers.choicesOf(offered, (mode) => problemOf(mode) === null),
    current: (setting) => offerOf(setting)?.current ?? null,
    offers: (setting) => (offerOf(setting)?.values.length ?? 0) > 0,
    apply
  }
}
