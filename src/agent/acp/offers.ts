/**
 * What an ACP agent offers to choose from for its session, and what is set: model, mode and effort.
 *
 * Agents offer these as configuration options; models and modes also in fields of their own, which are older. Claude and
 * codex-acp have both. An option is recognised by its category, because its id is the agent's own: effort is `effort` at
 * Claude and `reasoning_effort` at codex-acp.
 */
import { at, listIn, nonEmptyTextIn, objectIn, textIn } from "../../domain/json.ts"
import type { JsonObject } from "../../domain/json.ts"
import type { Choice, Choices } from "../../domain/Session.ts"

export type Setting = "model" | "mode" | "effort"

export interface Offer {
  readonly values: ReadonlyArray<Choice>
  readonly current: string | null
  /** The request that sets a value, and what it carries besides the session's id. */
  readonly set: (value: string) => { readonly method: string; readonly params: object }
}

/** The parts of a reply that opens a session, of a reply to `session/set_config_option`, and of updates. */
export type Offered = JsonObject

export const merged = (offered: Offered, reply: unknown): Offered => {
  const { configOptions, models, modes } = objectIn(reply)
  return {
    ...offered,
    ...(Array.isArray(configOptions) ? { configOptions } : {}),
    ...(isObject(models) ? { models } : {}),
    ...(isObject(modes) ? { modes } : {})
  }
}

/** The same after one setting has got a value, in each place where it is. */
export const withCurrent = (offered: Offered, setting: Setting, value: string): Offered => ({
  ...offered,
  ...(setting === "mode" && isObject(offered["modes"])
    ? { modes: { ...objectIn(offered["modes"]), currentModeId: value } }
    : {}),
  ...(setting === "model" && isObject(offered["models"]) && optionIn(offered, "model") === null
    ? { models: { ...objectIn(offered["models"]), currentModelId: value } }
    : {}),
  configOptions: optionsIn(offered).map((option) =>
    isOptionOf(setting, option) ? { ...option, currentValue: value } : option
  )
})

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value)

const optionsIn = (offered: Offered): ReadonlyArray<JsonObject> => listIn(offered["configOptions"]).map(objectIn)

const categories: Readonly<Record<Setting, string>> = { model: "model", mode: "mode", effort: "thought_level" }
const ids: Readonly<Record<Setting, ReadonlyArray<string>>> = {
  model: ["model"],
  mode: ["mode"],
  effort: ["effort", "reasoning_effort", "thought_level"]
}

const isOptionOf = (setting: Setting, { category, id }: JsonObject): boolean =>
  category === categories[setting] || ((category ?? null) === null && ids[setting].includes(textIn(id) ?? ""))

/** The first option of the category, or of such an id where the agent gives no categories. */
const optionIn = (offered: Offered, setting: Setting): JsonObject | null =>
  optionsIn(offered).find((option) => nonEmptyTextIn(option["id"]) !== null && isOptionOf(setting, option)) ?? null

/** What the option of a setting says is set; `null`: there is none. */
export const optionValue = (offered: Offered, setting: Setting): string | null =>
  nonEmptyTextIn(optionIn(offered, setting)?.["currentValue"])

export const offerOf = (offered: Offered, setting: Setting): Offer | null => {
  // A mode has a method of its own in every agent that has modes.
  const modes = setting === "mode" ? choicesIn(at(offered, "modes", "availableModes"), "id") : []
  if (modes.length > 0) {
    return {
      values: modes,
      current: nonEmptyTextIn(at(offered, "modes", "currentModeId")),
      set: (modeId) => ({ method: "session/set_mode", params: { modeId } })
    }
  }
  const option = optionIn(offered, setting)
  if (option !== null) {
    const { currentValue, id: configId, options } = option
    // Options may come in groups.
    const values = listIn(options).flatMap((entry) => choicesIn(objectIn(entry)["options"] ?? [entry], "value"))
    const set = (value: string) => ({ method: "session/set_config_option", params: { configId, value } })
    return { values, current: nonEmptyTextIn(currentValue), set }
  }
  const models = setting === "model" ? choicesIn(at(offered, "models", "availableModels"), "modelId") : []
  return models.length === 0
    ? null
    : {
        values: models,
        current: nonEmptyTextIn(at(offered, "models", "currentModelId")),
        set: (modelId) => ({ method: "session/set_model", params: { modelId } })
      }
}

const choicesIn = (list: unknown, key: string): ReadonlyArray<Choice> =>
  listIn(list).flatMap((entry) => {
    const { [key]: value, description, name } = objectIn(entry)
    const id = nonEmptyTextIn(value)
    if (id === null) return []
    const about = nonEmptyTextIn(description)
    return [{ id, name: nonEmptyTextIn(name) ?? id, ...(about === null ? {} : { description: about }) }]
  })

/** `mayHave`: the modes that the session can be given. */
export const choicesOf = (offered: Offered, mayHave: (mode: string) => boolean): Choices => {
  const values = (setting: Setting) => offerOf(offered, setting)?.values ?? []
  return {
    models: values("model"),
    modes: values("mode").filter(({ id }) => mayHave(id)),
    efforts: values("effort")
  }
}
