/** What the stand-in answers, before either API gives it its shape; and how words are streamed. */
import { setTimeout as pause } from "node:timers/promises"
import type { ServerResponse } from "node:http"
import { lastPrompt, userTexts } from "./conversation.ts"
import type { Item } from "./conversation.ts"
import { parse } from "./directives.ts"
import type { Tool } from "./directives.ts"

export interface Answer {
  readonly prompt: string
  readonly system: string
  /** The tool to call instead of saying anything; `null` when all have answered, or the agent offers none. */
  readonly tool: Tool | null
  readonly think: string | null
  readonly words: ReadonlyArray<string>
  readonly everyMillis: number
  readonly hang: boolean
  readonly status: number | null
}

export const answerTo = (items: ReadonlyArray<Item>, system: string, offersTools: boolean): Answer => {
  const { prompt, toolsDone } = lastPrompt(items)
  const { hang, millions, recall, say, slow, status, system: tellSystem, think, tools } = parse(prompt)
  const tool = (offersTools ? tools[toolsDone] : undefined) ?? null
  const text = say ?? (recall ? JSON.stringify(userTexts(items)) : tellSystem ? system : `echo: ${prompt}`)
  return {
    prompt,
    system,
    tool,
    think: toolsDone === 0 ? think : null,
    words: millions !== null ? ["x".repeat(millions * 1_000_000)] : slow === null ? text.split(/(?<= )/) : Array.from({ length: slow.words }, (_, nth) => `w${nth + 1} `),
    everyMillis: slow?.everyMillis ?? 0,
    hang: hang && tool === null,
    status
  }
}

/** Once written, an event is on the wire: a test that waits for it must not wait for a buffer. */
export const send = (response: ServerResponse, type: string, data: object): void => {
  if (!response.destroyed) response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
}

/** Says the words one by one. `false`: the agent has gone. */
export const speak = async (response: ServerResponse, answer: Answer, say: (word: string) => void) => {
  for (const word of answer.words) {
    if (response.destroyed) return false
    say(word)
    if (answer.everyMillis > 0) await pause(answer.everyMillis)
  }
  return true
}
