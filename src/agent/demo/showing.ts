/** The directives that show what an agent can do besides answering: questions, plans, and what a session was given. */
import type { Turn } from "./turn.ts"
import { ask } from "./wire.ts"

/** Says what the session has: the settings, the MCP servers, the directories. */
export const tellSession = (turn: Turn): void => {
  const { directories, mode, servers, settings } = turn.session
  const names = servers.map(({ name, transport }) => `${name} (${transport})`)
  turn.sayParagraph(
    [
      `Model ${settings.model}, effort ${settings.effort}, mode ${mode}.`,
      `MCP servers: ${names.join(", ") || "none"}.`,
      `Additional directories: ${directories.join(", ") || "none"}.`
    ].join("\n")
  )
}

export const tellVariable = (turn: Turn, name: string): void => {
  const value = process.env[name]
  turn.sayParagraph(value === undefined ? `There is no variable ${name}.` : `${name} is ${value}`)
}

const color = {
  type: "string",
  title: "Color",
  oneOf: [
    { const: "red", title: "Red", description: "As a rose" },
    { const: "blue", title: "Blue" }
  ]
}

/** A field of each type; `color_custom` is the free text beside the choice, as Claude Code has it. */
const form = {
  type: "object",
  properties: {
    color,
    color_custom: { type: "string", title: "Other" },
    sizes: { type: "array", title: "Sizes", items: { type: "string", enum: ["S", "M", "L"] } },
    count: { type: "integer", title: "How many" },
    gift: { type: "boolean", title: "As a gift" },
    note: { type: "string", title: "Note", description: "For the driver" }
  },
  required: ["color"]
}

/** Asks a person to fill in a form, and says what came back. */
export const askForm = async (turn: Turn): Promise<void> => {
  if (!turn.takesForms) return turn.sayParagraph("The client takes no forms.")
  const params = { sessionId: turn.session.id, mode: "form", message: "What may it be?", requestedSchema: form }
  const { result } = await ask("elicitation/create", params, turn.signal)
  turn.sayParagraph(`The client said: ${JSON.stringify(result ?? null)}`)
}

/** What a prompt of `/<name>` does, too. Real agents send this list by themselves when a session is opened. */
const availableCommands = [
  { name: "help", description: "Lists what a prompt can make the demo do" },
  { name: "session", description: "Says what the session was given" }
]

export const listCommands = (turn: Turn): void => {
  turn.update({ sessionUpdate: "available_commands_update", availableCommands })
  turn.sayParagraph(`There are ${availableCommands.map(({ name }) => `/${name}`).join(" and ")}.`)
}

const steps = ["Look", "Think", "Answer"]

/** Sends a plan, and ticks its steps off. */
export const showPlan = async (turn: Turn): Promise<void> => {
  for (let done = 0; done <= steps.length; done++) {
    const entries = steps.map((content, index) => ({
      content,
      priority: "medium",
      status: index < done ? "completed" : index === done ? "in_progress" : "pending"
    }))
    turn.update({ sessionUpdate: "plan", entries })
    await turn.wait(1)
  }
  turn.sayParagraph("The plan is carried out.")
}
