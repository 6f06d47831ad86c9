/** The tools that a turn's agent has called and that have not ended, as it tells of them. They end with the actor, as its turn does. */
import type { AcpMessage } from "../domain/Acp.ts"
import { cut } from "../domain/cut.ts"

export interface OpenTool {
  /** The agent's text. */
  readonly title: string
  /** ACP's kind: `read`, `edit`, `execute`, … */
  readonly kind: string
  /** When it was called or, where its agent tells that, began to run; in milliseconds since 1970. */
  readonly since: number
}

const longestTitle = 300
/** An agent that ends none of its tools must not fill the memory. */
const mostTools = 32

export class OpenTools {
  /** By the agent's own id, in the order of their calls; `null`: none was called. */
  #tools: Map<string, OpenTool & { readonly isRunning: boolean }> | null = null

  get all(): ReadonlyArray<OpenTool> {
    return [...(this.#tools?.values() ?? [])].map(({ kind, since, title }) => ({ title, kind, since }))
  }

  get isEmpty(): boolean {
    return this.#tools === null || this.#tools.size === 0
  }

  clear(): void {
    this.#tools = null
  }

  received(message: AcpMessage, now: number): void {
    if (!("method" in message) || message.method !== "session/update") return
    const { update } = message.params
    if (!update.sessionUpdate.startsWith("tool_call")) return
    const { kind, status, title, toolCallId: id } = update as Readonly<Record<string, unknown>>
    if (typeof id !== "string") return
    if (status === "completed" || status === "failed") return void this.#tools?.delete(id)
    const tools = (this.#tools ??= new Map())
    const before = tools.get(id)
    // What is said of a tool after its end begins none.
    if (before === undefined && (update.sessionUpdate !== "tool_call" || tools.size >= mostTools)) return
    const isSame = title === undefined && kind === undefined && (status !== "in_progress" || before?.isRunning === true)
    if (before !== undefined && isSame) return
    const begins = before === undefined || (status === "in_progress" && !before.isRunning)
    tools.set(id, {
      title: typeof title === "string" && title !== "" ? cut(title, longestTitle) : (before?.title ?? "a tool"),
      kind: typeof kind === "string" ? cut(kind, 40) : (before?.kind ?? "other"),
      since: begins ? now : before.since,
      isRunning: status === "in_progress" || before?.isRunning === true
    })
  }
}
