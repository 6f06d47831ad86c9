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

const withinMillis = 10_000

/** The effort last, because the model decides which there are. */
const inOrder: ReadonlyArray<Setting> = ["mode", "model", "effort"]

const nothingOffered: Offered = {}

interface Changed {
  readonly before: string | null
  readonly value: string | null
}

export class Controls {
  readonly #send: SendRequest
  readonly #tracker: TurnTracker
  readonly #agent: Announced["agent"]
  readonly #permissions: PermissionPolicy
  #offered: Offered = nothingOffered
  /** What was set here, and what was set before that; absent: it is as the agent has it. `null`: nothing was. */
  #changed: Map<Setting, Changed> | null = null

  constructor(send: SendRequest, tracker: TurnTracker, agent: Announced["agent"], permissions: PermissionPolicy) {
    this.#send = send
    this.#tracker = tracker
    this.#agent = agent
    this.#permissions = permissions
  }

  /** Takes what a reply offers that opens a session. What turns have set before is still taken back. */
  opened(reply: unknown): void {
    this.#changed?.delete("mode")
    this.#offered = Offers.merged(this.#offered, reply)
  }

  /** Says what the agent has by itself, where the conversation that it goes on with has something else. `null`: it does not. */
  own(setting: Setting, value: string | null): void {
    if (value !== null) this.#note(setting, { before: value, value: null })
  }

  /** Takes what an update of the session says about its settings. */
  receive(update: SessionUpdate): void {
    if (update.sessionUpdate === "config_option_update") this.#offered = Offers.merged(this.#offered, update)
    if (update.sessionUpdate === "config_option_update" || update.sessionUpdate === "current_mode_update") {
      const option = Offers.optionValue(this.#offered, "mode")
      const mode = nonEmptyTextIn(update["currentModeId"]) ?? option
      if (mode !== null) this.#offered = Offers.withCurrent(this.#offered, "mode", mode)
    }
  }

  choices(): Choices {
    return Offers.choicesOf(this.#offered, (mode) => this.#problemOf(mode) === null)
  }

  current(setting: Setting): string | null {
    return this.#offerOf(setting)?.current ?? null
  }

  offers(setting: Setting): boolean {
    return (this.#offerOf(setting)?.values.length ?? 0) > 0
  }

  /**
   * Done when it is called, where nothing has to be sent. `custom`: a model of this name was given to the agent in another
   * way, so its list need not have it.
   */
  apply(
    thread: string,
    wishes: Wishes,
    custom: string | null = null
  ): Effect.Effect<void, AgentFailed | RpcError | RpcSilent> {
    return Controls.#applied(this, thread, wishes, custom)
  }

  static readonly #applied = Effect.fnUntracedEager(function* (
    controls: Controls,
    thread: string,
    wishes: Wishes,
    custom: string | null
  ) {
    const problem = wishes.mode === null ? null : controls.#problemOf(wishes.mode)
    if (problem !== null) return yield* new AgentFailed({ class: "config", message: problem })
    for (const setting of inOrder) {
      const wish = wishes[setting]
      const value = controls.#target(setting, wish)
      if (value === null || (setting === "model" && value === custom && !controls.#isOffered("model", value))) continue
      const changed = controls.#changed?.get(setting)
      const before = changed === undefined ? controls.current(setting) : changed.before
      // The mode is set once in any case: a resumed Claude has been seen in another than it said.
      yield* controls.#set(thread, setting, value, setting === "mode" && changed === undefined)
      if (wish === null && setting !== "mode") controls.#changed?.delete(setting)
      else controls.#note(setting, { before, value })
    }
  })

  #note(setting: Setting, changed: Changed): void {
    this.#changed ??= new Map()
    this.#changed.set(setting, changed)
  }

  #problemOf(mode: string): string | null {
    return Modes.modeProblem(this.#agent, this.#tracker.identity.name, mode, this.#permissions)
  }

  #offerOf(setting: Setting): Offers.Offer | null {
    return Offers.offerOf(this.#offered, setting)
  }

  #isOffered(setting: Setting, value: string): boolean {
    return this.#offerOf(setting)?.values.some(({ id }) => id === value) === true
  }

  /** Where the agent itself has gone to a mode that widens nothing, as Claude does to plan, it stays there. */
  #modeWithoutWish(): string | null {
    const current = this.current("mode")
    const mode = Modes.modesFor(this.#agent, this.#permissions).find((id) => this.#isOffered("mode", id)) ?? null
    const set = this.#changed?.get("mode")
    const isOwn = set !== undefined && current !== null && current !== set.value
    return isOwn && this.#problemOf(current) === null ? current : mode
  }

  /** `null`: leave it. */
  #target(setting: Setting, wish: string | null): string | null {
    if (wish !== null) return wish
    if (setting === "mode") return this.#modeWithoutWish()
    const before = this.#changed?.get(setting)?.before ?? null
    return before !== null && this.#isOffered(setting, before) ? before : null
  }

  #unknown(setting: Setting, value: string): AgentFailed {
    const { name } = this.#tracker.identity
    const ids = (this.#offerOf(setting)?.values ?? []).map(({ id }) => id)
    const message =
      ids.length === 0
        ? `${name} lets its client choose no ${setting}. Leave ${setting} out, and set it in the agent's own configuration.`
        : `${name} does not know the ${setting} ${line(value, 80)}. It takes: ${line(ids.join(", "), 600)}.`
    return new AgentFailed({ class: "config", message })
  }

  #set(thread: string, setting: Setting, value: string, isForced: boolean) {
    return Effect.gen({ self: this }, function* () {
      const offer = this.#offerOf(setting)
      if (offer === null || !offer.values.some(({ id }) => id === value)) return yield* this.#unknown(setting, value)
      if (offer.current === value && !isForced) return
      const { method, params } = offer.set(value)
      // In wire order: an update right behind the reply may already say something newer.
      yield* this.#send(method, { sessionId: thread, ...params }, withinMillis, (reply) => {
        this.#offered = Offers.withCurrent(Offers.merged(this.#offered, reply), setting, value)
      })
    })
  }
}

export const make = (
  send: SendRequest,
  tracker: TurnTracker,
  { agent }: Pick<Announced, "agent">,
  permissions: PermissionPolicy
): Controls => new Controls(send, tracker, agent, permissions)
