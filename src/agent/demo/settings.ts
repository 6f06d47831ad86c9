/** What a client can set of a session of the demo agent besides its mode: model and effort, as configuration options. */
import { codes, Fault } from "./wire.ts"

const select = (name: string, category: string, values: Readonly<Record<string, string>>) => ({
  name,
  category,
  values
})

const options = {
  model: select("Model", "model", { "demo-small": "Answers at once", "demo-large": "Answers the same, at once" }),
  effort: select("Effort", "thought_level", { low: "Thinks not at all", medium: "Thinks as little", high: "The same" })
} as const

export type SettingId = keyof typeof options

export type Settings = Record<SettingId, string>

interface HasSettings {
  readonly settings: Settings
}

export const defaults: Settings = { model: "demo-small", effort: "medium" }

/** ACP's `configOptions` of a session. */
export const configOptions = ({ settings }: HasSettings) =>
  Object.entries(options).map(([id, { category, name, values }]) => ({
    id,
    name,
    category,
    type: "select",
    currentValue: settings[id as SettingId],
    options: Object.entries(values).map(([value, description]) => ({ value, name: value, description }))
  }))

export const set = ({ settings }: HasSettings, configId: unknown, value: unknown): void => {
  if (configId !== "model" && configId !== "effort") {
    throw new Fault(codes.invalidParams, `configId is one of ${Object.keys(options).join(", ")}`)
  }
  const { values } = options[configId]
  if (typeof value !== "string" || !Object.hasOwn(values, value)) {
    throw new Fault(codes.invalidParams, `value is one of ${Object.keys(values).join(", ")}`)
  }
  settings[configId] = value
}
