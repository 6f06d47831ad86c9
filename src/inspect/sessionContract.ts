/**
 * The part of the contract of `/inspect/api` that is about one session: its detail, its stored steps and events, its
 * processes, and its export. Types only; keys, times and sizes as in `contract.ts`, which lists the routes.
 */
import type { Approval, Me, SessionRow, Wait } from "./contract.ts"

export interface Step {
  readonly seq: number
  readonly at: number
  /** The event that was decided on, without prompts. */
  readonly event: { readonly type: string; readonly [key: string]: unknown }
  readonly from: string
  readonly to: string
  readonly commands: ReadonlyArray<string>
  /** `GET steps/{seq}/wire` has the line of the agent that caused it. */
  readonly wire: boolean
}

export interface Steps {
  readonly ok: true
  readonly steps: ReadonlyArray<Step>
  /** `after` of the next page. */
  readonly next: number | null
}

/** The line of the agent's stdio, secrets redacted, at most 16 kB of it. */
export interface Wire {
  readonly ok: true
  readonly seq: number
  readonly line: string
  readonly truncated: boolean
}

/** A stored event of the session: an ACP message, or one of Troupe's own. Text in it is the agent's: never HTML. */
export interface TranscriptEvent {
  readonly seq: number
  readonly turn: number | null
  readonly at: number
  readonly message: unknown
}

export interface Events {
  readonly ok: true
  readonly events: ReadonlyArray<TranscriptEvent>
  readonly next: number | null
}

/**
 * SSE of one session: `event: step` (`Step`), `event: event` (`TranscriptEvent`), `event: changed` (`{}`: fetch the detail
 * again), `event: live` when all that was stored has been sent. The SSE `id` has the position in both, `e12.s7`. The stream
 * of a closed session stays open, and silent after `live`.
 */
export type StreamId = `e${number}.s${number}`

export interface Turn {
  readonly index: number
  readonly kind: "prompt" | "compact"
  readonly status: "queued" | "running" | "completed" | "interrupted" | "failed" | "timed_out"
  /** At most 4 kB of it. A session's events contain the agent's side only. */
  readonly prompt: string
  readonly submitted_at: number
  readonly ended_at: number | null
  readonly stop_reason: string | null
  readonly total_tokens: number
  /** `null`: its agent does not report it. */
  readonly cost: { readonly amount: number; readonly currency: string } | null
  readonly tool_iterations: number
  readonly failure: { readonly class: string; readonly message: string } | null
  /** Whether the session can be forked after it. */
  readonly can_fork: boolean
  /** It did not work, and was sent again as that turn; `null`: it was not, or was long ago. */
  readonly repeated_as: number | null
}

/** The detail has the last 200; here are all, the oldest first, of each prompt at most 300 characters. */
export interface Turns {
  readonly ok: true
  readonly turns: ReadonlyArray<Turn>
  /** `after` of the next page. */
  readonly next: number | null
}

/** A place in a session at which a text was found. */
export interface Hit {
  readonly of: "events" | "steps"
  /** Of the event with which its item of the transcript begins, or of the step; 0: a prompt, which is found by its turn. */
  readonly seq: number
  readonly turn: number | null
  readonly at: number
  /** Such as `message` or `output of a tool`. */
  readonly what: string
  /** What is before it, it, and what comes behind, in one line. Text of an agent: never HTML. */
  readonly snippet: readonly [before: string, found: string, after: string]
  /** How often it is in that text. */
  readonly matches: number
}

/** At most 200 of them, of at most 10,000 events and 5,000 steps. */
export interface Hits {
  readonly ok: true
  readonly hits: ReadonlyArray<Hit>
  /** `after`, to search on; `null`: all was searched. */
  readonly next: StreamId | null
}

/** One process of the session: from its lease to its end. `ended_at` and `exit` are `null` while it runs. */
export interface ProcessSpan {
  readonly generation: number
  readonly started_at: number
  readonly ended_at: number | null
  /** How it ended, in a sentence. */
  readonly exit: string | null
  /** It died, or had to be ended. One that was put to sleep, closed or renewed did not fail. */
  readonly is_failure: boolean
  /** What the kernel said of its end, and the end of its stderr; `null`: it runs, or its end was not seen. */
  readonly death: { readonly code: number | null; readonly signal: string | null; readonly stderr: string } | null
}

/** From when on a node has had the session. Each of its commits is of the epoch of one. */
export interface Owner {
  readonly epoch: number
  readonly node: string
  readonly at: number
  /** Steps with a higher number are of this epoch, or a later one. */
  readonly after_step: number
  /**
   * What had become of the owner before: it had left, was declared dead, or it had let go of the session. `null`: there
   * was none, or it is not known.
   */
  readonly before: "left" | "silent" | "released" | null
}

export interface Budget {
  /** Process deaths within the period that do not park the session. */
  readonly intensity: number
  readonly period_seconds: number
  /** The times of those within the period. */
  readonly deaths: ReadonlyArray<number>
  /** Never below 0. */
  readonly left: number
  /** The present backoff. */
  readonly backoff: { readonly seconds: number; readonly until: number } | null
  readonly parked: { readonly reason: string; readonly until: number } | null
}

export interface Detail {
  readonly ok: true
  readonly session: Omit<SessionRow, "meta"> & {
    readonly cwd: string
    readonly model: string | null
    readonly mode: string | null
    readonly effort: string | null
    readonly permissions: unknown
    /** The permissions in a word, and what that means. */
    readonly permission: { readonly word: string; readonly meaning: string }
    readonly thread_id: string | null
    readonly meta: Readonly<Record<string, unknown>>
    readonly usage: {
      readonly input_tokens: number
      readonly cached_input_tokens: number
      readonly output_tokens: number
      readonly reasoning_tokens: number
      readonly total_tokens: number
    }
    /** Of its turns so far; `null` where its agent does not report it. */
    readonly cost: { readonly amount: number; readonly currency: string } | null
    /** What its agent can do besides taking prompts. */
    readonly can: { readonly compact: boolean; readonly steer: boolean }
  }
  /** The machine's own: value and context, as stored. */
  readonly snapshot: { readonly value: unknown; readonly context: Readonly<Record<string, unknown>> }
  readonly last_step: number
  readonly last_event: number
  readonly why: {
    /** One or two sentences for a person. */
    readonly sentence: string
    readonly wait: Wait
    /** Events that the state has a transition for. */
    readonly awaited: ReadonlyArray<string>
    /** When the agent last wrote a byte. `null`: not since its process started, or there is no process. */
    readonly last_byte_at: number | null
    /** Turns that wait behind the running one. */
    readonly queued: number
  }
  /** Where it waits for a process slot: its place, and who has the slots; `null`: it does not, or that is not known. */
  readonly line: {
    readonly place: number
    readonly waiting: number
    readonly size: number
    /** The longest first; those of other apps are counted in `others`. */
    readonly holders: ReadonlyArray<{ readonly session_id: string; readonly app: string; readonly since: number }>
    readonly others: number
  } | null
  readonly timers: ReadonlyArray<{ readonly timer: string; readonly event: string; readonly due_at: number }>
  /** Commands that were decided and are not performed yet. */
  readonly owed: ReadonlyArray<{ readonly step: number; readonly type: string; readonly attempted: boolean }>
  readonly budget: Budget
  readonly process: {
    readonly pid: number | null
    readonly state: string
    readonly up_since: number | null
    /** What is not known of it, in a sentence for a person: its node does not answer. `null`: all is. */
    readonly unseen: string | null
  }
  /** Events that the machine refused since the server was started, oldest first; at most 32. */
  readonly refused: ReadonlyArray<{ readonly event: string; readonly state: string; readonly at: number }>
  readonly turns: ReadonlyArray<Turn>
  /** All, settled ones too, oldest first; at most 200, the last. */
  readonly approvals: ReadonlyArray<Approval>
  readonly processes: ReadonlyArray<ProcessSpan>
  /** The nodes that have had it, oldest first; at most 100, the last. Empty where this Troupe is alone. */
  readonly owners: ReadonlyArray<Owner>
}

export interface Processes {
  readonly ok: true
  /** Of the live process group and all that carries its marker; empty where nothing runs, or it can't be looked at. */
  readonly tree: ReadonlyArray<{
    readonly pid: number
    readonly ppid: number
    readonly command: string
    readonly rss_bytes: number
    readonly started_at: number | null
    /** The kernel's letter, such as `S`; `null`: not known. */
    readonly state: string | null
    /** Of a processor, since it was started. */
    readonly cpu_seconds: number | null
  }>
  /** What all of them used, once a second while somebody looks or a limit is set; the oldest first, at most 300. */
  readonly samples: ReadonlyArray<UseSample>
  /** The last of what it wrote to stderr, secrets redacted. */
  readonly stderr: string
  /** How many lines of its stdout were no message of its protocol, and the beginning of the first, secrets redacted. */
  readonly malformed_lines: number
  readonly first_malformed_line: string | null
}

export interface UseSample {
  readonly at: number
  readonly rss_bytes: number
  /** How many processors they kept busy since the sample before. */
  readonly cpu: number
  readonly processes: number
}

/** Why a session does not move, as far as can be seen from outside of its agent: `GET why`. */
export interface Diagnosis {
  readonly ok: true
  /** In a sentence or two. */
  readonly verdict: string
  /** `stopped`, `loops` and `blocked` will not pass by themselves. */
  readonly kind:
    | "none"
    | "stopped"
    | "blocked"
    | "device"
    | "tool_works"
    | "tool_waits"
    | "works"
    | "loops"
    | "waits"
    | "silent"
  /** Since its agent said something last, in seconds, and how long its silences usually are; `null`: not known. */
  readonly silence: { readonly seconds: number; readonly usual_seconds: number | null } | null
  readonly processes: ReadonlyArray<{
    readonly pid: number
    readonly ppid: number
    readonly command: string
    /** The kernel's letter, and what that means. */
    readonly state: string
    readonly state_words: string
    /** How many processors it keeps busy; `null`: not known. */
    readonly cpu: number | null
    readonly rss_bytes: number
    /** What the kernel says that it waits for, in words; `null`: nothing is known. */
    readonly waits_for: string | null
  }>
  /** Empty: there is none. */
  readonly last_stderr_line: string
  /** All of this, to be given to a person or another agent. */
  readonly markdown: string
}

/** The session, as the page that shows it or as its data; or the chart of its machine, with the state that it is in marked. */
export type ExportFormat = "json" | "html" | "svg" | "dot" | "mermaid"

/** The contents of an exported file: everything that the page needs to show the session without a server. */
export interface Exported {
  readonly troupe: { readonly version: string; readonly exported_at: number; readonly format: 1 }
  /** Whether prompts, answers, tool arguments and outputs are in it; secrets never are. */
  readonly texts: boolean
  /** A sentence about the omitted beginning, where the session is longer than a file may be. */
  readonly cut: string | null
  readonly me: Pick<Me, "bounds">
  readonly detail: Detail
  readonly steps: ReadonlyArray<Step>
  readonly events: ReadonlyArray<TranscriptEvent>
}
