/** The client of AG-UI that frontends use, with its checks of every event: the package of the protocol, installed beside this file. */
import type { BaseEvent, Interrupt, Message, RunAgentInput, RunErrorEvent, RunFinishedEvent } from "@ag-ui/core"
import { randomUUID } from "node:crypto"
import { createRequire } from "node:module"
import { installFromLock } from "../../installFromLock.ts"

export interface HttpAgent {
  threadId: string
  messages: Array<Message>
  pendingInterrupts: Array<Interrupt>
  readonly addMessage: (message: Message) => void
  readonly abortRun: () => void
  readonly runAgent: (
    parameters?: Partial<RunAgentInput>,
    subscriber?: { readonly onEvent: (told: { readonly event: BaseEvent }) => void }
  ) => Promise<{ readonly result: unknown; readonly newMessages: ReadonlyArray<Message> }>
}

interface Config {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly threadId?: string
  readonly fetch?: (url: string, request: { readonly body: string }) => Promise<Response>
}

export const loadClient = (): new (config: Config) => HttpAgent => {
  installFromLock(import.meta.dirname, "the client of AG-UI (25 MB, once)")
  return (createRequire(import.meta.url)("@ag-ui/client") as { readonly HttpAgent: new (config: Config) => HttpAgent })
    .HttpAgent
}

export interface Ran {
  readonly events: ReadonlyArray<BaseEvent & Record<string, unknown>>
  readonly types: ReadonlyArray<string>
  readonly newMessages: ReadonlyArray<Message>
  /** What the assistant has said in it. */
  readonly text: string
  readonly last: RunFinishedEvent | RunErrorEvent
}

/** One run of the client, whole: `text` is a new message of the user. */
export const ran = async (
  agent: HttpAgent,
  text: string | null,
  parameters: Partial<RunAgentInput> = {}
): Promise<Ran> => {
  const events: Array<BaseEvent & Record<string, unknown>> = []
  if (text !== null) agent.addMessage({ id: randomUUID(), role: "user", content: text })
  const { newMessages } = await agent.runAgent(parameters, {
    onEvent: ({ event }) => void events.push(event as BaseEvent & Record<string, unknown>)
  })
  const said = newMessages.flatMap(({ content, role }) =>
    role === "assistant" && typeof content === "string" ? [content] : []
  )
  return {
    events,
    types: events.map(({ type }) => type),
    newMessages,
    text: said.join(""),
    last: events.at(-1) as unknown as RunFinishedEvent | RunErrorEvent
  }
}
