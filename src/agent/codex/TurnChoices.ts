/**
 * Model, effort, mode and output schema of each turn, as parameters of `turn/start`.
 *
 * A thread keeps the model, the effort and the mode of its last turn, also when it is resumed; so once one of them was
 * chosen, every turn says what counts for it: the turn's own, else the session's, else that of codex's configuration. Only
 * `outputSchema` is of one turn (0.169 to 0.171). A thread for which nothing was ever chosen is told nothing.
 *
 * Codex takes any model and any effort and passes them to the provider, so both are checked here.
 */
import { Effect } from "effect"
import { objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { Choices } from "../../domain/Session.ts"
import type { TurnSettings } from "../../domain/Turn.ts"
import { AgentFailed } from "../Agent.ts"
import type { OpenRequest } from "../Agent.ts"
import { choice, nothing } from "./Models.ts"
import type { CodexModel, Models, Offered } from "./Models.ts"
import { modeProblem, modes } from "./modes.ts"

export interface TurnChoices {
  readonly choices: () => Choices
  /** Fails with class `config` where codex does not have what is chosen. */
  readonly parametersOf: (turn: TurnSettings) => Effect.Effect<JsonObject, AgentFailed>
}

export interface TurnChoicesOptions {
  readonly models: Models
  readonly session: Pick<OpenRequest, "effort" | "mode" | "model" | "permissions">
  /** The reply that has the thread. */
  readonly opened: JsonObject
  /** The thread is new, and begins with codex's configuration. */
  readonly isNew: boolean
}

export const make = ({ isNew, models, opened, session }: TurnChoicesOptions): TurnChoices => {
  const openedModel = textIn(opened["model"])
  const openedMode = textIn(objectIn(opened["collaborationMode"])["mode"])
  // An earlier process may have chosen something for the thread.
  let says = !isNew || session.effort !== null
  let saysMode = openedMode !== null && openedMode !== "default"

  const originalModel = ({ model, models: list }: Offered): string | null => {
    if (isNew && session.model === null) return openedModel
    return model ?? list.find(({ isDefault }) => isDefault)?.id ?? openedModel
  }

  return {
    choices: () => {
      const offered = models.now()
      const current = modelOf(offered, session.model ?? originalModel(offered))
      return {
        models: offered.models
          .filter(({ hidden }) => !hidden)
          .map(({ description, id, name }) => choice(id, name, description)),
        modes,
        efforts: current?.efforts ?? []
      }
    },
    parametersOf: Effect.fnUntraced(function* (turn) {
      const mode = turn.mode ?? session.mode
      const schema = turn.outputSchema === undefined ? {} : { outputSchema: turn.outputSchema }
      const chosen = { model: turn.model ?? session.model, effort: turn.effort ?? session.effort }
      const problem = mode === null ? null : modeProblem(mode, session.permissions)
      if (problem !== null) return yield* new AgentFailed({ class: "config", message: problem })
      says ||= turn.model !== undefined || turn.effort !== undefined
      saysMode ||= mode !== null
      if (!says && !saysMode && chosen.model === null) return schema

      const offered = yield* models.settled
      const refused = modelProblem(offered, chosen, openedModel) ?? effortProblem(offered, chosen, openedModel)
      if (refused !== null) return yield* new AgentFailed({ class: "config", message: refused })
      if (!says && !saysMode) return schema
      const model = chosen.model ?? originalModel(offered)
      const effort = chosen.effort ?? offered.effort ?? modelOf(offered, model)?.defaultEffort ?? null
      if (saysMode && model !== null) {
        // Counts before `model` and `effort`. `null`: the mode's own instructions; the session's are kept beside them.
        const settings = { model, reasoning_effort: effort, developer_instructions: null }
        return { ...schema, collaborationMode: { mode: mode ?? "default", settings } }
      }
      return { ...schema, ...(model === null ? {} : { model }), ...(effort === null ? {} : { effort }) }
    })
  }
}

const modelOf = ({ models }: Offered, id: string | null): CodexModel | null =>
  models.find((model) => model.id === id) ?? null

const listed = (ids: ReadonlyArray<string>): string => ids.map((id) => JSON.stringify(id)).join(", ")

interface Chosen {
  readonly model: string | null
  readonly effort: string | null
}

/** A list that does not have the model of codex's own configuration is not of its provider, and says nothing. */
const modelProblem = (offered: Offered, { model }: Chosen, opened: string | null): string | null => {
  if (model === null || modelOf(offered, model) !== null) return null
  const configured = offered.model ?? (opened === model ? null : opened)
  if (offered === nothing || offered.models.length === 0) return null
  if (configured !== null && modelOf(offered, configured) === null) return null
  const ids = offered.models.filter(({ hidden }) => !hidden).map(({ id }) => id)
  return `Codex has no model ${JSON.stringify(model)}. It has ${listed(ids)}.`
}

const effortProblem = (offered: Offered, { effort, model }: Chosen, opened: string | null): string | null => {
  const efforts = modelOf(offered, model ?? opened)?.efforts ?? []
  if (effort === null || efforts.length === 0 || efforts.some(({ id }) => id === effort)) return null
  const name = model ?? opened
  return `The model ${JSON.stringify(name)} has no effort ${JSON.stringify(effort)}. It has ${listed(efforts.map(({ id }) => id))}.`
}
