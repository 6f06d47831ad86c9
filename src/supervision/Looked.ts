/**
 * What only the machine that owns a session knows of it: its process and all below it, what that wrote, what the machine
 * refused, and whether an actor is loaded. Everything else is in the ledger.
 */
import { Schema } from "effect"
import { AppName, LeaseId, SessionId } from "../domain/Ids.ts"
import { Choices, ExceededLimit, ProcessUse, Unseen } from "../domain/Session.ts"

/** Parts that are looked for only where they are asked for, because each takes a look at the system. */
export const LookPart = Schema.Literals(["vitals", "tree"])

export const Look = Schema.Struct({ sessions: Schema.Array(SessionId), parts: Schema.Array(LookPart) })

/** `ProcessInfo` of `agent/Processes.ts`. */
const Process = Schema.Struct({
  pid: Schema.Int,
  ppid: Schema.Int,
  startTime: Schema.String,
  command: Schema.String,
  rssBytes: Schema.Finite,
  startedAt: Schema.NullOr(Schema.Finite),
  /** Absent: the node is of a version that does not tell these. */
  state: Schema.optionalKey(Schema.String),
  cpuSeconds: Schema.optionalKey(Schema.Finite),
  waitsIn: Schema.optionalKey(Schema.NullOr(Schema.String)),
  blockedBy: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  connections: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String)))
})

/** `UseSample` of `supervision/UseSamples.ts`. */
const Sample = Schema.Struct({
  at: Schema.Finite,
  rssBytes: Schema.Finite,
  cpu: Schema.Finite,
  processes: Schema.Int
})

/** Of the same name in `agent/Processes.ts`. */
const Vitals = Schema.Struct({
  lastOutputAt: Schema.NullOr(Schema.Finite),
  stderr: Schema.String,
  malformedLines: Schema.Int,
  firstMalformedLine: Schema.NullOr(Schema.String)
})

const RefusedEvent = Schema.Struct({ event: Schema.String, state: Schema.String, at: Schema.Finite })

const timer = { timer: Schema.String, dueAt: Schema.Finite }
/** The one that is due first, and those that the ledger does not have. */
const Timers = Schema.Struct({
  next: Schema.NullOr(Schema.Struct(timer)),
  unstored: Schema.Array(Schema.Struct({ ...timer, event: Schema.Struct({ type: Schema.String }) }))
})

/** `OpenTool` of `session/OpenTools.ts`. */
const Tool = Schema.Struct({ title: Schema.String, kind: Schema.String, since: Schema.Finite })

/** `SlotLine` of `runtime/ProcessSlots.ts`. */
const Line = Schema.Struct({
  place: Schema.Int,
  waiting: Schema.Int,
  size: Schema.Int,
  holders: Schema.Array(Schema.Struct({ session: SessionId, app: AppName, since: Schema.Finite }))
})

const Seen = Schema.TaggedStruct("Seen", {
  session: SessionId,
  /** The actor that is loaded: its last step, its state and since when. `null`: it sleeps in the ledger. */
  actor: Schema.NullOr(
    Schema.Struct({
      step: Schema.Int,
      state: Schema.String,
      since: Schema.Finite,
      /** Absent: the node is of a version that does not tell it. */
      timers: Schema.optionalKey(Timers),
      /** Likewise: the tools of its running turn that have not ended, and when its agent said something last. */
      tools: Schema.optionalKey(Schema.Array(Tool)),
      heardAt: Schema.optionalKey(Schema.NullOr(Schema.Finite))
    })
  ),
  /** Where it waits for a slot: its place in the line. */
  line: Schema.optionalKey(Line),
  /** Its agent is not started before then, because its starts kept failing. */
  circuit: Schema.optionalKey(Schema.Struct({ until: Schema.Finite, reason: Schema.String })),
  /** 99 of 100 silences of its agent were not longer, in milliseconds. */
  usualSilence: Schema.optionalKey(Schema.Finite),
  pid: Schema.NullOr(Schema.Int),
  /** The name of the node whose pid it is; absent where there is none, or Troupe is alone. */
  node: Schema.optionalKey(Schema.String),
  lease: Schema.NullOr(LeaseId),
  configured: Schema.NullOr(Schema.Record(Schema.String, Schema.Json)),
  choices: Schema.NullOr(Choices),
  use: Schema.NullOr(ProcessUse),
  exceeded: Schema.NullOr(ExceededLimit),
  /** Since the owner's Troupe was started, oldest first. */
  refused: Schema.Array(RefusedEvent),
  /** `null` where it has no process, and where it was not asked for. */
  vitals: Schema.NullOr(Vitals),
  /** Empty likewise. */
  tree: Schema.Array(Process),
  /** What its processes used lately, where the tree was asked for: whoever asks has it sampled for a while. */
  samples: Schema.optionalKey(Schema.Array(Sample))
})

/** The owner's node does not answer: what is stored is all that is known. */
const NotSeen = Schema.TaggedStruct("NotSeen", { session: SessionId, ...Unseen.fields })

export const Looked = Schema.Union([Seen, NotSeen])
export type Looked = typeof Looked.Type
