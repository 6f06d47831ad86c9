/**
 * A session's settings as options of the protocol: its agent, as long as it can be another one; model, mode and effort as the
 * agent offers them; and Troupe's permissions.
 * What an agent offers is known while its process is up; before, from another session of the same agent where one is up.
 */
import type { SessionConfigOption, SessionModeState } from "@agentclientprotocol/sdk"
import type { Backend, SessionInfo } from "../../backend/Backend.ts"
import { PermissionPolicy, policyOf } from "../../domain/Permissions.ts"
import { canChooseAgent, noChoices } from "../../domain/Session.ts"
import type { ChangeSession, Choice, Choices } from "../../domain/Session.ts"

/** Of the newest sessions, that are looked through for what an agent offers. */
const sessionsLookedAt = 20

export interface Options {
  readonly configOptions: Array<SessionConfigOption>
  readonly modes: SessionModeState | null
}

export const offersOf = async (backend: Backend, { agent, choices }: SessionInfo): Promise<Choices> => {
  if (choices !== null) return choices
  const { items } = await backend.list({ limit: sessionsLookedAt, cursor: null, state: "open" })
  return items.find((other) => other.agent === agent && other.choices !== null)?.choices ?? noChoices
}

/** Those that it could have; of one that had its first turn none but its own. */
export const agentsFor = async (backend: Backend, session: SessionInfo): Promise<ReadonlyArray<string>> => {
  const own = session.agent
  if (!canChooseAgent(session)) return [own]
  const names = (await backend.agents()).filter(({ available }) => available).map(({ name }) => name)
  return names.includes(own) ? names : [own, ...names]
}

/** Stands for the agent's own: a value of the protocol is a text. */
const ownValue = "default"

export const optionsOf = (session: SessionInfo, offers: Choices, agents: ReadonlyArray<string>): Options => ({
  configOptions: [
    {
      type: "select",
      id: "agent",
      name: "Agent",
      description: "Who works in this session: chosen until its first prompt.",
      category: "_agent",
      currentValue: session.agent,
      options: agents.map((value) => ({ value, name: value }))
    },
    ...selectOf("model", "Model", "model", session.model, offers.models),
    ...selectOf("mode", "Mode", "mode", session.mode, offers.modes),
    ...selectOf("effort", "Effort", "thought_level", session.effort, offers.efforts),
    {
      type: "select",
      id: "permissions",
      name: "Permissions",
      description: "What the agent may do without a person.",
      category: "_permissions",
      currentValue: policyOf(session.permissions),
      options: PermissionPolicy.literals.map((value) => ({ value, name: permissionNames[value] }))
    }
  ],
  modes:
    offers.modes.length === 0
      ? null
      : {
          currentModeId: session.mode ?? ownValue,
          availableModes: withOwn(session.mode, offers.modes).map(({ description, id, name }) => ({
            id,
            name,
            ...(description === undefined ? {} : { description })
          }))
        }
})

const permissionNames: Readonly<Record<PermissionPolicy, string>> = {
  deny: "Deny all",
  approve_reads: "Read without asking, deny the rest",
  ask: "Ask",
  approve_edits: "Edit without asking, ask for the rest",
  approve_all: "Approve all"
}

/** Absent where there is nothing to choose from. */
const selectOf = (
  id: string,
  name: string,
  category: string,
  current: string | null,
  choices: ReadonlyArray<Choice>
): ReadonlyArray<SessionConfigOption> =>
  choices.length === 0 && current === null
    ? []
    : [
        {
          type: "select",
          id,
          name,
          category,
          currentValue: current ?? ownValue,
          options: withOwn(current, choices).map(({ description, id: value, name: named }) => ({
            value,
            name: named,
            ...(description === undefined ? {} : { description })
          }))
        }
      ]

/** With the agent's own first, and with what is set although the agent does not offer it. */
const withOwn = (current: string | null, choices: ReadonlyArray<Choice>): ReadonlyArray<Choice> => [
  ...(choices.some(({ id }) => id === ownValue) ? [] : [{ id: ownValue, name: "The agent's own" }]),
  ...choices,
  ...(current === null || choices.some(({ id }) => id === current) ? [] : [{ id: current, name: current }])
]

const settings = ["model", "mode", "effort"] as const

/** The change that an option stands for; `null`: there is no such option. */
export const changeOf = (
  id: string,
  value: string,
  { permissions }: Pick<SessionInfo, "permissions">,
  offers: Choices
): ChangeSession | null => {
  if (id === "agent") return { agent: value }
  if (id === "permissions") {
    // What is no word is refused by the service. Rules stay in front of it.
    const word = value as PermissionPolicy
    return { permissions: typeof permissions === "string" ? word : { ...permissions, default: word } }
  }
  const setting = settings.find((name) => name === id)
  if (setting === undefined) return null
  const offered = { model: offers.models, mode: offers.modes, effort: offers.efforts }[setting]
  const isOwn = value === ownValue && !offered.some(({ id: known }) => known === ownValue)
  return { [setting]: isOwn ? null : value }
}
