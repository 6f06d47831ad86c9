/** The bodies of Troupe's HTTP API, as an app sees them: written down here by hand, from the contract alone. */

export interface AcpEvent {
  readonly jsonrpc: "2.0"
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly update?: { readonly sessionUpdate?: string; readonly [key: string]: unknown } }
  readonly result?: { readonly stopReason?: string }
  readonly error?: unknown
}

export interface Turn {
  readonly ok: boolean
  readonly session_id: string
  readonly turn_index: number
  readonly status?: string
  readonly stop_reason: string
  readonly final_text: string
  readonly events: ReadonlyArray<AcpEvent>
  readonly messages: ReadonlyArray<{ readonly role: string; readonly content: string | null }>
  readonly tool_iterations: number
  readonly completed: boolean
  readonly partial: boolean
  readonly interrupted: boolean
  readonly error: string | null
  readonly compacted: boolean
  readonly context: { readonly used: number; readonly size: number } | null
  readonly context_lost: boolean
  readonly context_as_of: number | null
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number; readonly total_tokens: number }
  readonly cost: { readonly amount: number; readonly currency: string } | null
  readonly thread_id: string | null
  readonly recovered: {
    readonly at: number
    readonly stop_reason: string
    readonly final_text: string
    readonly messages: Turn["messages"]
  } | null
}

export interface SessionBody {
  readonly session_id: string
  readonly state: string
  readonly turn_count: number
  readonly cost: { readonly amount: number; readonly currency: string } | null
  readonly process: {
    readonly state: string
    readonly pid: number | null
    readonly restarts: number
    readonly configured: unknown
  }
}

export interface Run {
  readonly ok: boolean
  readonly result?: unknown
  readonly error?: string
  readonly stderr?: string
  readonly duration_ms: number
  readonly stop_reason: string
}

export interface AuditLine {
  readonly action: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** Of an app's session: the updates of one kind, in the order they came. */
export const updatesOf = (events: ReadonlyArray<AcpEvent>, kind: string) =>
  events.flatMap(({ params }) => (params?.update?.sessionUpdate === kind ? [params.update] : []))
