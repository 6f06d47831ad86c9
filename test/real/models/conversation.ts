/**
 * What a model was sent, read the same way off Anthropic's `messages` and OpenAI's `input`.
 *
 * Agents put reminders, environment and instructions of their own between the user's words; those begin with `<` or
 * `# AGENTS.md`, and are not the user's.
 */
export interface Part {
  readonly type?: string
  readonly text?: string
}

/** A message of either API, or one of OpenAI's items that are no message. */
export interface Item {
  readonly role?: string
  readonly type?: string
  readonly content?: string | ReadonlyArray<Part>
}

const partsOf = (content: Item["content"]): ReadonlyArray<Part> =>
  typeof content === "string" ? [{ type: "text", text: content }] : (content ?? [])

const isWords = ({ text, type }: Part) =>
  (type === "text" || type === "input_text") && text !== undefined && text !== "" && !/^\s*(<|# AGENTS\.md)/.test(text)

const wordsOf = (item: Item): ReadonlyArray<string> =>
  partsOf(item.content)
    .filter(isWords)
    .map(({ text = "" }) => text)

/** Every text of the user, oldest first. */
export const userTexts = (items: ReadonlyArray<Item>): ReadonlyArray<string> =>
  items.filter(({ role }) => role === "user").flatMap(wordsOf)

const outputs = new Set(["function_call_output", "custom_tool_call_output", "local_shell_call_output"])

/** The last text of the user, and how many tools have answered since. */
export const lastPrompt = (items: ReadonlyArray<Item>): { readonly prompt: string; readonly toolsDone: number } => {
  let toolsDone = 0
  for (const item of items.toReversed()) {
    if (outputs.has(item.type ?? "")) toolsDone += 1
    // In one message: what a turn that was refused left of its tools is sent together with the prompt after it.
    for (const part of partsOf(item.content).toReversed()) {
      if (item.role === "user" && isWords(part)) return { prompt: part.text ?? "", toolsDone }
      if (part.type === "tool_result") toolsDone += 1
    }
  }
  return { prompt: "", toolsDone }
}
