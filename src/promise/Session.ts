/** One session, as promises: its turns, which can be awaited or read along, and its other operations. */
import { Cause, Effect, Exit, Stream } from "effect"
import { SessionActorRefs } from "../services/SessionActorRefs.ts"
import { ReviewResults } from "../services/ReviewResults.ts"
import { Sessions } from "../services/Sessions.ts"
import { submissionOf } from "../services/submission.ts"
import type { Caller, Turning } from "../services/Sessions.ts"
import type { SessionActorRef } from "../services/MirrorActor.ts"
import type { ApprovalDecision, ApprovalRecord } from "../domain/Approval.ts"
import { isAgentMessage } from "../domain/Acp.ts"
import type { StreamedEvent, TurnMessage } from "../domain/events/StreamedMessage.ts"
import { FileId } from "../domain/Ids.ts"
import type { JsonRecord } from "../domain/json.ts"
import type { ContentBlock } from "../domain/PromptContent.ts"
import type { Answers } from "../domain/Question.ts"
import type { ReviewRecord } from "../domain/Review.ts"
import type { ForkSession, SessionSettings, SessionView } from "../domain/Session.ts"
import type { Message } from "../domain/Turn.ts"
import type { Embedded } from "./Embedded.ts"
import { checkOptions } from "./checkOptions.ts"
import type { NamesOf } from "./checkOptions.ts"
import { conversationOf, conversationOptionNames, reasonOfInterrupt, refusedConversation } from "./Conversation.ts"
import type { ConversationOptions, ConversationResult } from "./Conversation.ts"
import { forkNames, settingNames } from "./sessionNames.ts"
import { troupeError, TroupeError } from "./TroupeError.ts"
import { outcomeOf, refusalIn } from "../domain/TurnOutcome.ts"
import type { TurnOutcome } from "../domain/TurnOutcome.ts"

/** Of one page of messages; a whole conversation is read in as many pages as it takes. */
const turnsAtOnce = 200

export interface TurnOptions {
  /** Ids from `storeFile`; their paths are put in front of the prompt. */
  readonly files?: ReadonlyArray<string>
  /** In place of the session's own, for this turn. */
  readonly model?: string
  readonly mode?: string
  readonly effort?: string
  /** A JSON Schema that the final text must match as JSON: the outcome has `structured`, or `schemaMismatch`. */
  readonly outputSchema?: JsonRecord
  /** Replaces the configured turn timeout. */
  readonly timeoutMillis?: number
  /** Wait in line behind a running turn instead of being refused with `turn_in_progress`. */
  readonly queue?: boolean
  /**
   * The app's name for this submission, 255 characters at most: submitted again under it, as after a crash of the app, the
   * prompt leads to the same turn, as long as the session is kept. Another prompt under it rejects with
   * `idempotency_conflict`.
   */
  readonly idempotencyKey?: string
  /** Interrupts this turn, or takes it out of the line. Without it a turn goes on whether or not anybody waits for it. */
  readonly signal?: AbortSignal
}

const turnOptionNames: NamesOf<TurnOptions> = {
  files: true,
  model: true,
  mode: true,
  effort: true,
  // The app's own.
  outputSchema: true,
  timeoutMillis: true,
  queue: true,
  idempotencyKey: true,
  signal: true
}

/**
 * A turn that was submitted. Awaited, it gives its outcome, where a failure of the agent is an outcome too; iterated, it
 * gives the agent's messages as they come. Both reject with a `TroupeError` where the turn was refused.
 */
export interface Turn extends Promise<TurnOutcome>, AsyncIterable<TurnMessage> {}

type Prompt = string | ReadonlyArray<ContentBlock>

export interface Session extends AsyncDisposable {
  readonly id: string
  readonly agent: string
  /** Submits at once. A prompt is text, or content blocks of ACP: text, images and resources. */
  readonly turn: (prompt: string | ReadonlyArray<ContentBlock>, options?: TurnOptions) => Turn
  /** A turn that is a result whatever happens, in the shape of an app's own tool loop. Never rejects. */
  readonly runConversation: (input: string, options?: ConversationOptions) => Promise<ConversationResult>
  /** Adds words to the running turn; rejects with `no_turn` where none runs, `not_supported` where the agent can't. */
  readonly steer: (text: string) => Promise<void>
  /** Has the agent make room in its context; `compacted` says whether it did. Rejects while a turn runs. */
  readonly compact: () => Promise<TurnOutcome>
  /** The whole conversation so far in OpenAI's message shape. */
  readonly messages: () => Promise<ReadonlyArray<Message>>
  /**
   * What the agent waits for, permissions and questions, oldest first. A question has `fields`. `events` has each as it is
   * requested.
   */
  readonly approvals: () => Promise<ReadonlyArray<ApprovalRecord>>
  /**
   * A question is answered with `once` and a value for each required field, by its id, or declined with `deny`. Rejects with
   * `approval_not_found`, with `approval_settled` where it was answered, expired or withdrawn before, and with
   * `invalid_request` where the answers don't fit: the question stays open.
   */
  readonly answer: (approvalId: string, decision: ApprovalDecision, answers?: Answers) => Promise<ApprovalRecord>
  /** Its background reviews, newest first: why each ran, what it wrote and used, how it ended. */
  readonly reviews: () => Promise<ReadonlyArray<ReviewRecord>>
  /** `false` where nothing runs. */
  readonly interrupt: () => Promise<boolean>
  /** A session that begins with a copy of this one's conversation, up to a turn or all of it. */
  readonly fork: (request?: ForkSession) => Promise<Session>
  /** Changes its permissions, model, mode or effort, for its next turns. What is left out stays as it is. */
  readonly change: (settings: SessionSettings) => Promise<SessionView>
  /** All events, from the first or after the one with that number, until the session is closed. */
  readonly events: (options?: { readonly after?: number }) => AsyncIterable<StreamedEvent>
  readonly view: () => Promise<SessionView>
  /**
   * The session's machine as an XState actor: `subscribe`, `getSnapshot`, and `send` for the events of `SessionRequest`;
   * `waitFor`, `toPromise` and `useSelector` take it. It mirrors the stored state, is done when the session is closed, and
   * outlives hibernation and restarts. Calls return the same actor as long as it is referenced or subscribed to.
   */
  readonly actor: () => Promise<SessionActorRef>
  /** Past turns, oldest first, after the one with that index; 50 at a time by default. */
  readonly turns: (query?: { readonly after?: number; readonly limit?: number }) => Promise<ReadonlyArray<TurnOutcome>>
  /** Returns when no process of the session is left. A running turn is interrupted and recorded. */
  readonly close: () => Promise<{ readonly alreadyClosed: boolean }>
}

export const makeSession = (embedded: Embedded, caller: Caller, { agent, id }: SessionView): Session => {
  const withSessions = <A, E>(use: (sessions: Sessions["Service"]) => Effect.Effect<A, E>) =>
    Effect.flatMap(Sessions, use)
  const close = () => embedded.run(withSessions((sessions) => sessions.close(caller, id)))

  const outcomeIn = (turning: Promise<Turning>): Promise<TurnOutcome> =>
    turning
      .then(({ result }) => embedded.run(result))
      .then((result) => {
        const refusal = refusalIn(result)
        if (refusal !== undefined) throw new TroupeError({ ...refusal, message: refusal.detail })
        return outcomeOf(result)
      })

  const submit = async (
    prompt: Prompt,
    options: TurnOptions,
    given?: ReadonlyArray<Message> | undefined
  ): Promise<Turning> => {
    checkOptions(options, turnOptionNames)
    const { effort, files, idempotencyKey, mode, model, outputSchema, queue, timeoutMillis } = options
    const settings = { effort, mode, model, outputSchema }
    const attached = files?.map((file) => FileId.make(file))
    const request = { prompt, messages: given, settings, files: attached, queue, timeoutMillis }
    const submission = submissionOf(idempotencyKey, request)
    return embedded.run(withSessions((sessions) => sessions.submit(caller, id, { ...request, submission })))
  }

  const turn = (prompt: Prompt, options: TurnOptions = {}): Turn => follow(submit(prompt, options), options)

  const follow = (turning: Promise<Turning>, { signal }: TurnOptions): Turn => {
    const outcome = outcomeIn(turning)
    // A caller that only iterates, or only submits, awaits no outcome: its rejection must not count as unhandled in Node.
    outcome.catch(() => {})
    if (signal !== undefined) interruptOn(signal, turning, outcome)
    const agentMessages = Effect.map(Effect.flatten(Effect.promise(() => settled(turning))), ({ events }) =>
      events.pipe(
        Stream.map(({ message }) => message),
        Stream.filter((message): message is TurnMessage => isAgentMessage(message))
      )
    )
    return Object.assign(outcome, embedded.iterate(agentMessages))
  }

  /** The messages before a turn, or all of them. */
  const messages = async (before?: number): Promise<ReadonlyArray<Message>> => {
    const all: Array<Message> = []
    let after: number | null = 0
    while (after !== null) {
      const query: Parameters<Sessions["Service"]["messages"]>[2] = { after, before, limit: turnsAtOnce }
      const page = await embedded.run(withSessions((sessions) => sessions.messages(caller, id, query)))
      all.push(...page.messages)
      after = page.next
    }
    return all
  }

  const runConversation = async (input: string, options: ConversationOptions = {}) => {
    const { messages: given, ...turnOptions } = options
    let before: ReadonlyArray<Message> | undefined = Array.isArray(given) ? given : undefined
    try {
      checkOptions(options, conversationOptionNames)
      const turning = submit(input, turnOptions, given)
      const outcome = await follow(turning, turnOptions)
      before ??= await messages(outcome.turnIndex).catch(() => [])
      const reason = reasonOfInterrupt(await embedded.run((await turning).result), options.signal)
      return conversationOf(agent, input, before, outcome, reason)
    } catch (error) {
      before ??= await messages().catch(() => [])
      return refusedConversation(agent, input, before, asTroupeError(error))
    }
  }

  const interrupt = () => embedded.run(withSessions((sessions) => sessions.interrupt(caller, id)))

  /** Interrupts this turn, also where it still waits in line behind another. */
  const interruptOn = (signal: AbortSignal, accepted: Promise<Turning>, over: Promise<unknown>) => {
    const abort = () => void accepted.then((turning) => embedded.run(turning.interrupt)).catch(() => {})
    if (signal.aborted) return abort()
    signal.addEventListener("abort", abort, { once: true })
    const removeListener = () => signal.removeEventListener("abort", abort)
    over.then(removeListener, removeListener)
  }

  return {
    id,
    agent,
    turn,
    runConversation,
    steer: (text) => embedded.run(withSessions((sessions) => sessions.steer(caller, id, text))),
    compact: () => outcomeIn(embedded.run(withSessions((sessions) => sessions.compact(caller, id)))),
    messages: () => messages(),
    approvals: () => embedded.run(withSessions((sessions) => sessions.approvals(caller, id))),
    answer: (approvalId, decision, answers) =>
      embedded.run(withSessions((sessions) => sessions.answer(caller, id, approvalId, decision, answers))),
    interrupt,
    fork: async (request = {}) => {
      checkOptions(request, forkNames)
      const forked = await embedded.run(withSessions((sessions) => sessions.fork(caller, id, request)))
      return makeSession(embedded, caller, forked)
    },
    change: async (settings) => {
      checkOptions(settings, settingNames)
      return embedded.run(withSessions((sessions) => sessions.change(caller, id, settings)))
    },
    close,
    actor: () => embedded.run(Effect.flatMap(SessionActorRefs, (refs) => refs.of(caller, id))),
    reviews: () => embedded.run(Effect.flatMap(ReviewResults, ({ ofSession }) => ofSession(caller, id))),
    view: () => embedded.run(withSessions((sessions) => sessions.get(caller, id))),
    turns: async (query = {}) => {
      checkOptions(query, { after: true, limit: true })
      const { after = 0, limit = 50 } = query
      return (await embedded.run(withSessions((sessions) => sessions.turns(caller, id, { after, limit })))).map(
        outcomeOf
      )
    },
    events: (options = {}) => {
      const { after = 0 } = options
      const checked = Effect.sync(() => checkOptions(options, { after: true }))
      return embedded.iterate(
        Effect.andThen(
          checked,
          withSessions((sessions) => sessions.events(caller, id, after))
        )
      )
    },
    [Symbol.asyncDispose]: async () => void (await close())
  }
}

/** The rejection of a turn as a `TroupeError`. */
const asTroupeError = (error: unknown): TroupeError =>
  error instanceof TroupeError ? error : troupeError(Cause.die(error))

/** The exit of a promise, so that a rejection keeps its error. */
const settled = <A>(promise: Promise<A>): Promise<Exit.Exit<A, unknown>> =>
  promise.then(Exit.succeed, (error: unknown) => Exit.fail(error))
