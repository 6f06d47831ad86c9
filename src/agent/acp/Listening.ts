/** Takes what an ACP agent says by itself: updates are emitted as facts, and its requests are answered. */
import { Effect } from "effect"
import type { OpenRequest } from "../Agent.ts"
import { RpcError } from "../RpcError.ts"
import type { Listener } from "../Started.ts"
import { Approvals } from "./Approvals.ts"
import type { Controls } from "./Controls.ts"
import * as FailureProse from "./FailureProse.ts"
import * as Failures from "./failures.ts"
import type { KnownAgent } from "./knownAgents.ts"
import * as McpServers from "./mcpServers.ts"
import * as OpenRequests from "./OpenRequests.ts"
import { Questions } from "./Questions.ts"
import type { TurnTracker } from "./TurnTracker.ts"

const noNames: ReadonlySet<string> = new Set()

export class Listening implements Listener {
  readonly openRequests = OpenRequests.make()
  readonly prose = FailureProse.make()
  /** Known from the handshake on. */
  agent: KnownAgent | null = null
  controls: Controls | null = null
  readonly #tracker: TurnTracker
  readonly #emit: OpenRequest["emit"]
  readonly #toWireLine: (raw: string) => string
  readonly #approvals: Approvals
  readonly #questions: Questions
  readonly #mcpNames: ReadonlySet<string>

  constructor(tracker: TurnTracker, request: OpenRequest, toWireLine: (raw: string) => string) {
    const { approve, ask, emit, mcpServers } = request
    this.#tracker = tracker
    this.#emit = emit
    this.#toWireLine = toWireLine
    this.#approvals = new Approvals(tracker, this.openRequests, approve)
    this.#questions = new Questions(tracker, this.openRequests, ask)
    this.#mcpNames = mcpServers.length === 0 ? noNames : new Set(mcpServers.map(({ name }) => name))
  }

  onNotification(method: string, params: unknown): Effect.Effect<void> {
    if (method === "$/cancel_request") return this.openRequests.cancel(params)
    // No turn depends on the other notifications, such as `_auth/status_update`.
    const fact = method === "session/update" ? this.#tracker.receive(params) : null
    if (fact === null) return Effect.void
    this.controls?.receive(fact.message.params.update)
    const mcpFailed = McpServers.failureIn(fact.message, fact.turn, this.#mcpNames)
    const isAdapter = this.agent === "claude" || this.agent === "codex"
    const facts = isAdapter ? this.prose.pass(fact) : [fact]
    const [only] = facts
    if (mcpFailed === null && facts.length === 1 && only !== undefined) return this.#emit(only)
    return Effect.forEach(mcpFailed === null ? facts : [...facts, mcpFailed], this.#emit, { discard: true })
  }

  onRequest(method: string, params: unknown, id: unknown, raw: string): Effect.Effect<unknown, RpcError> {
    switch (method) {
      case "session/request_permission":
        return this.#approvals.answer(params, id, this.#toWireLine(raw))
      case "elicitation/create":
        return this.#questions.answer(params, id, this.#toWireLine(raw))
      default:
        return Effect.fail(unknownMethod(method))
    }
  }
}

const unknownMethod = (method: string) =>
  new RpcError({ code: Failures.methodNotFound, message: `"Method not found": ${method}`, data: { method } })
