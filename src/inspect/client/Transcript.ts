/**
 * A session's stored events as a conversation: prompts, the agent's messages and thoughts, its tools, and Troupe's own
 * events.
 *
 * Events come in order and in pieces; chunks of one message become one item, updates of one tool its last state.
 * Everything in it is the agent's text, so it is only ever shown as text.
 */
import type { TranscriptEvent, Turn } from "../sessionContract.ts"
import { contentText, diffsIn, isRecord, pretty, str } from "./content.ts"
import type { FileDiff } from "./content.ts"

/** When and in which turn an item came. */
interface ItemOrigin {
  /** Identifies the item while the session is shown. */
  readonly key: string
  readonly turn: number | null
  readonly at: number
  /** When its last piece came, in seconds. */
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
  /** The files that it changes, which are in the output as text, and what is in it besides. */
  readonly diffs: ReadonlyArray<FileDiff>
  readonly beside: string
}

export type Item = ItemOrigin &
  (
    | { readonly kind: "prompt" | "message" | "thought"; readonly text: string }
    | Tool
    | { readonly kind: "plan"; readonly entries: ReadonlyArray<{ readonly text: string; readonly status: string }> }
    | { readonly kind: "state"; readonly from: string; readonly to: string; readonly event: string }
    | { readonly kind: "end"; readonly ok: boolean; readonly text: string }
    /** The agent's counts of its tokens and its context, all of a turn as one. `text`: the last of them. */
    | { readonly kind: "usage"; readonly updates: number; readonly text: string }
    | { readonly kind: "other"; readonly what: string; readonly text: string }
  )

type Body = Item extends infer I ? (I extends ItemOrigin ? Omit<I, keyof ItemOrigin> : never) : never

export type Prompt = Pick<Turn, "index" | "kind" | "prompt" | "submitted_at">

export class Transcript {
  #items: Array<Item> = []
  /** Indexes of tools in the list. */
  readonly #tools = new Map<string, number>()
  /** Of the updates of a turn's usage. */
  readonly #usages = new Map<number | null, number>()
  /** The keys of the items that an event changed, by its number: every other event is in the item that it follows. */
  readonly #changed = new Map<number, string>()
  #first = Infinity
  #last = 0

  #prompts: Array<Prompt> = []
  /** All that it was made of, while earlier ones may come; `null`: it has the first. */
  #events: Array<TranscriptEvent> | null = []

  /** Those whose submission was among the events, oldest first. */
  get prompts(): ReadonlyArray<Prompt> {
    return this.#prompts
  }

  /** A new array after each change, so that a view can compare by identity. */
  get items(): ReadonlyArray<Item> {
    return this.#items
  }

  /** Of the first event that it has. */
  get firstSeq(): number {
    return this.#first
  }

  get lastSeq(): number {
    return this.#last
  }

  /** The earliest that it has, where that is not the session's first. */
  get earliest(): TranscriptEvent | undefined {
    return this.#events?.[0]
  }

  /** The key of the item that an event is in, or of the one that it follows; absent: there is no item. */
  keyOf(seq: number): string | undefined {
    if (seq < this.#first) return undefined
    const changed = this.#changed.get(seq)
    return changed ?? (this.#items.findLast(({ key }) => Number.parseInt(key, 10) <= seq) ?? this.#items[0])?.key
  }

  append(events: ReadonlyArray<TranscriptEvent>): void {
    this.#items = [...this.#items]
    for (const event of events) {
      if (event.seq <= this.#last) continue
      this.#first = Math.min(this.#first, event.seq)
      if (event.seq === 1) this.#events = null
      this.#events?.push(event)
      this.#last = event.seq
      this.#take(event)
    }
  }

  /** Those right before what it has. They may end within a message or a tool that goes on here: all is put together anew. */
  prepend(events: ReadonlyArray<TranscriptEvent>): void {
    const all = [...events, ...(this.#events ?? [])]
    this.#events = []
    this.#items = []
    for (const known of [this.#tools, this.#usages, this.#changed]) known.clear()
    this.#prompts = []
    this.#first = Infinity
    this.#last = 0
    this.append(all)
  }

  #take(event: TranscriptEvent): void {
    const { message } = event
    if (!isRecord(message)) return this.#other(event, "event", message)
    const params = isRecord(message["params"]) ? message["params"] : {}
    const method = str(message["method"])
    if (method === "session/update") return this.#update(event, isRecord(params["update"]) ? params["update"] : {})
    if (method === "_troupe/state") {
      const [from, to, by] = [str(params["from"]), str(params["to"]), str(params["event"])]
      return this.#add(event, { kind: "state", from, to, event: by })
    }
    // The prompts are added in `withPrompts`, and a turn's last message shows its end.
    if (method === "_troupe/turn") return this.#submitted(event, params)
    if (method !== "") return this.#other(event, method.replace(/^_troupe\//, ""), params)
    if (isRecord(message["error"])) {
      const text = str(message["error"]["message"])
      return this.#add(event, { kind: "end", ok: false, text: text === "" ? "The turn failed." : text })
    }
    const result = isRecord(message["result"]) ? message["result"] : {}
    this.#add(event, { kind: "end", ok: true, text: str(result["stopReason"]).replaceAll("_", " ") })
  }

  #submitted({ at }: TranscriptEvent, params: Readonly<Record<string, unknown>>): void {
    const { kind, phase, prompt, turn_index: index } = params
    if (phase !== "submitted" || typeof index !== "number") return
    this.#prompts.push({
      index,
      kind: kind === "compact" ? "compact" : "prompt",
      prompt: str(prompt),
      submitted_at: at
    })
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
        const plan = entries.map((entry) => ({ text: str(entry["content"]), status: str(entry["status"]) }))
        return this.#add(event, { kind: "plan", entries: plan })
      }
      case "usage_update":
        return this.#usage(event, pretty({ ...update, sessionUpdate: undefined }))
      default:
        return this.#other(event, compactionWords(update) ?? kind.replaceAll("_", " "), {
          ...update,
          sessionUpdate: undefined
        })
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
    const index = this.#tools.get(id)
    const before = index === undefined ? undefined : this.#items[index]
    const tool = merged(before?.kind === "tool" ? before : undefined, update)
    if (index !== undefined && before !== undefined) {
      this.#items[index] = { ...before, ...tool, until: event.at }
      this.#changed.set(event.seq, before.key)
      return
    }
    this.#tools.set(id, this.#items.length)
    this.#add(event, tool)
  }

  #usage(event: TranscriptEvent, text: string): void {
    const index = this.#usages.get(event.turn)
    const before = index === undefined ? undefined : this.#items[index]
    if (index === undefined || before?.kind !== "usage") {
      this.#usages.set(event.turn, this.#items.length)
      return this.#add(event, { kind: "usage", updates: 1, text })
    }
    this.#items[index] = { ...before, updates: before.updates + 1, text, until: event.at }
    this.#changed.set(event.seq, before.key)
  }

  #other(event: TranscriptEvent, what: string, params: unknown): void {
    this.#add(event, { kind: "other", what, text: pretty(params) })
  }

  #add({ at, seq, turn }: TranscriptEvent, body: Body, suffix = ""): void {
    this.#items.push({ ...body, key: `${seq}${suffix}`, turn, at, until: at } as Item)
  }
}

/** Codex reports a compaction so; agents of ACP report it as a tool call, which has its own title. */
const compactionWords = ({ _meta: meta }: Readonly<Record<string, unknown>>): string | undefined => {
  const phase = isRecord(meta) ? meta["troupe/compaction"] : undefined
  return phase === "started" ? "context is compacted" : phase === "completed" ? "context was compacted" : undefined
}

/** Two redacted pieces become one with the sum of their lengths. */
const joined = (before: string, text: string): string => {
  const [first, second] = [before, text].map((piece) => /^\[redacted: (\d+) characters\]$/.exec(piece)?.[1])
  return first === undefined || second === undefined
    ? before + text
    : `[redacted: ${Number(first) + Number(second)} characters]`
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
    output: content === "" ? (raw === "" ? (before?.output ?? "") : raw) : content,
    ...(content === "" ? { diffs: before?.diffs ?? [], beside: before?.beside ?? "" } : diffsIn(update["content"]))
  }
}

/** It has not ended, and nor has its turn. */
export const isToolRunning = (item: Item, turns: ReadonlyArray<Pick<Turn, "index" | "status">>): boolean =>
  item.kind === "tool" &&
  item.status !== "completed" &&
  item.status !== "failed" &&
  turns.some(({ index, status }) => index === item.turn && status === "running")

/**
 * Adds the prompts, each before the first item of its turn: of the turns that the detail has, and of older ones as their
 * submission is among the events. `from`: the events before that time are not here, and so prompts of then are not shown either.
 */
export const withPrompts = (
  items: ReadonlyArray<Item>,
  turns: ReadonlyArray<Turn>,
  submitted: ReadonlyArray<Prompt> = [],
  from = 0
): ReadonlyArray<Item> => {
  const first = turns[0]?.index ?? Infinity
  const shown = [
    ...submitted.filter(({ index }) => index < first),
    ...turns.filter(({ submitted_at }) => submitted_at >= from)
  ]
  const prompts = shown.map(({ index, kind, prompt, submitted_at }): Item => {
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
