/**
 * A session's stored events as a conversation: prompts, what the agent said and thought, its tools, and Troupe's news.
 *
 * Events come in order and in pieces; chunks of one message become one item, updates of one tool its last state.
 * Everything in it is the agent's text: it is shown as text and as nothing else.
 */
import type { TranscriptEvent, Turn } from "../contract.ts"
import { contentText, isRecord, pretty, str } from "./content.ts"

interface Place {
  /** Tells items apart for as long as the session is looked at. */
  readonly key: string
  readonly turn: number | null
  readonly at: number
  /** When its last piece came. */
  readonly until: number
}

export interface Tool {
  readonly kind: "tool"
  readonly title: string
  /** ACP's kind: `read`, `edit`, `execute`, … */
  readonly tool: string
  readonly status: string
  readonly input: string
  readonly output: string
}

export type Item = Place &
  (
    | { readonly kind: "prompt" | "message" | "thought"; readonly text: string }
    | Tool
    | { readonly kind: "plan"; readonly entries: ReadonlyArray<{ readonly text: string; readonly status: string }> }
    | { readonly kind: "state"; readonly from: string; readonly to: string; readonly event: string }
    | { readonly kind: "end"; readonly ok: boolean; readonly text: string }
    | { readonly kind: "news"; readonly what: string; readonly text: string }
  )

type Body = Item extends infer I ? (I extends Place ? Omit<I, keyof Place> : never) : never

export class Transcript {
  #items: Array<Item> = []
  /** Where an open tool stands in the list. */
  readonly #tools = new Map<string, number>()
  #last = 0

  /** A new list each time something came, so that a view can tell. */
  get items(): ReadonlyArray<Item> {
    return this.#items
  }

  get lastSeq(): number {
    return this.#last
  }

  append(events: ReadonlyArray<TranscriptEvent>): void {
    this.#items = [...this.#items]
    for (const event of events) {
      if (event.seq <= this.#last) continue
      this.#last = event.seq
      this.#take(event)
    }
  }

  #take(event: TranscriptEvent): void {
    const { message } = event
    if (!isRecord(message)) return this.#news(event, "event", message)
    const params = isRecord(message["params"]) ? message["params"] : {}
    const method = str(message["method"])
    if (method === "session/update") return this.#update(event, isRecord(params["update"]) ? params["update"] : {})
    if (method === "_troupe/state") {
      const [from, to, by] = [str(params["from"]), str(params["to"]), str(params["event"])]
      return this.#add(event, { kind: "state", from, to, event: by })
    }
    if (method !== "") return this.#news(event, method.replace(/^_troupe\//, ""), params)
    if (isRecord(message["error"])) {
      const text = str(message["error"]["message"])
      return this.#add(event, { kind: "end", ok: false, text: text === "" ? "The turn failed." : text })
    }
    const result = isRecord(message["result"]) ? message["result"] : {}
    this.#add(event, { kind: "end", ok: true, text: str(result["stopReason"]).replaceAll("_", " ") })
  }

  #update(event: TranscriptEvent, update: Readonly<Record<string, unknown>>): void {
    const kind = str(update["sessionUpdate"])
    switch (kind) {
      case "agent_message_chunk":
        return this.#say(event, "message", update)
      case "agent_thought_chunk":
        return this.#say(event, "thought", update)
      case "user_message_chunk":
        return this.#say(event, "prompt", update)
      case "tool_call":
      case "tool_call_update":
        return this.#tool(event, update)
      case "plan": {
        const entries = Array.isArray(update["entries"]) ? update["entries"].filter(isRecord) : []
        const told = entries.map((entry) => ({ text: str(entry["content"]), status: str(entry["status"]) }))
        return this.#add(event, { kind: "plan", entries: told })
      }
      default:
        return this.#news(event, kind.replaceAll("_", " "), { ...update, sessionUpdate: undefined })
    }
  }

  #say(
    event: TranscriptEvent,
    kind: "message" | "thought" | "prompt",
    update: Readonly<Record<string, unknown>>
  ): void {
    const text = contentText(update["content"])
    const last = this.#items.at(-1)
    const id = str(update["messageId"])
    const same = last !== undefined && last.kind === kind && last.turn === event.turn && last.key.endsWith(`/${id}`)
    if (!same) return this.#add(event, { kind, text }, `/${id}`)
    this.#items[this.#items.length - 1] = { ...last, text: joined(last.text, text), until: event.at }
  }

  #tool(event: TranscriptEvent, update: Readonly<Record<string, unknown>>): void {
    const id = `${event.turn}/${str(update["toolCallId"])}`
    const known = this.#tools.get(id)
    const before = known === undefined ? undefined : this.#items[known]
    const tool = merged(before?.kind === "tool" ? before : undefined, update)
    if (known !== undefined && before !== undefined) {
      this.#items[known] = { ...before, ...tool, until: event.at }
      return
    }
    this.#tools.set(id, this.#items.length)
    this.#add(event, tool)
  }

  #news(event: TranscriptEvent, what: string, said: unknown): void {
    this.#add(event, { kind: "news", what, text: pretty(said) })
  }

  #add({ at, seq, turn }: TranscriptEvent, body: Body, suffix = ""): void {
    this.#items.push({ ...body, key: `${seq}${suffix}`, turn, at, until: at } as Item)
  }
}

/** Two redacted pieces are one that is as long as both. */
const joined = (before: string, text: string): string => {
  const [one, other] = [before, text].map((each) => /^\[redacted: (\d+) characters\]$/.exec(each)?.[1])
  return one === undefined || other === undefined
    ? before + text
    : `[redacted: ${Number(one) + Number(other)} characters]`
}

const merged = (before: Tool | undefined, update: Readonly<Record<string, unknown>>): Tool => {
  const has = (key: string) => update[key] !== undefined && update[key] !== null
  const raw = has("rawOutput") ? pretty(update["rawOutput"]) : ""
  const content = has("content") ? contentText(update["content"]) : ""
  return {
    kind: "tool",
    title: has("title") ? str(update["title"]) : (before?.title ?? "a tool"),
    tool: has("kind") ? str(update["kind"]) : (before?.tool ?? "other"),
    status: has("status") ? str(update["status"]) : (before?.status ?? "pending"),
    input: has("rawInput") ? pretty(update["rawInput"]) : (before?.input ?? ""),
    output: content === "" ? (raw === "" ? (before?.output ?? "") : raw) : content
  }
}

/** With what was asked, each before the first that its turn brought: the events hold the agent's side only. */
export const withPrompts = (items: ReadonlyArray<Item>, turns: ReadonlyArray<Turn>): ReadonlyArray<Item> => {
  const prompts = turns.map(({ index, kind, prompt, submitted_at }): Item => {
    const text = kind === "compact" && prompt === "" ? "(compacts the conversation)" : prompt
    return { kind: "prompt", text, key: `turn ${index}`, turn: index, at: submitted_at, until: submitted_at }
  })
  const merged: Array<Item> = []
  let next = 0
  for (const item of items) {
    for (let prompt = prompts[next]; prompt !== undefined && prompt.at <= item.at; prompt = prompts[++next])
      merged.push(prompt)
    merged.push(item)
  }
  return [...merged, ...prompts.slice(next)]
}
