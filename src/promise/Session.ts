/** One session, as promises: its turns, which can be awaited or read along, and its other operations. */
import { Cause } from "effect"
import type { SessionActorRef } from "../services/MirrorActor.ts"
import type { ApprovalDecision, ApprovalRecord } from "../domain/Approval.ts"
import type { StreamedEvent, TurnMessage } from "../domain/events/StreamedMessage.ts"
import type { JsonRecord } from "../domain/json.ts"
import type { ContentBlock } from "../domain/PromptContent.ts"
import type { Answers } from "../domain/Question.ts"
import type { ReviewRecord } from "../domain/Review.ts"
import type { ChangeSession, ForkSession } from "../domain/Session.ts"
import type { Message } from "../domain/Turn.ts"
import type { Backend, EndedTurn, OpenedSession, SessionInfo, Submitted } from "../backend/Backend.ts"
import { checkOptions } from "./checkOptions.ts"
import { checkChange, checkFork, checkPrompt, checkTurn } from "./checkValues.ts"
import type { NamesOf } from "./checkOptions.ts"
import { conversationOf, conversationOptionNames, reasonOfInterrupt, refusedConversation } from "./Conversation.ts"
import type { ConversationOptions, ConversationResult } from "./Conversation.ts"
import { forkNames, settingNames } from "./sessionNames.ts"
import { troupeError, TroupeError } from "../backend/TroupeError.ts"
import type { TurnOutcome } from "../domain/TurnOutcome.ts"

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

interface Followed {
  readonly turn: Turn
  readonly ended: Promise<EndedTurn>
}

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
  /**
   * Changes its permissions, model, mode or effort, for its next turns. What is left out stays as it is. Its agent, until its
   * first turn: model, mode and effort are then the new agent's own, where they are left out.
   */
  readonly change: (settings: ChangeSession) => Promise<SessionInfo>
  /**
   * All events, from the first or after the one with that number, until the session is closed; with `follow: false` those that
   * are stored now. A negative number counts from the end: -1 begins with the last one.
   */
  readonly events: (options?: { readonly after?: number; readonly follow?: boolean }) => AsyncIterable<StreamedEvent>
  readonly view: () => Promise<SessionInfo>
  /**
   * The session's machine as an XState actor: `subscribe`, `getSnapshot`, and `send` for the events of `SessionRequest`;
   * `waitFor`, `toPromise` and `useSelector` take it. It mirrors the stored state, is done when the session is closed, and
   * outlives hibernation and restarts. Not over HTTP. Calls return the same actor as long as it is referenced or subscribed to.
   */
  readonly actor: () => Promise<SessionActorRef>
  /** Past turns, oldest first, after the one with that index; 50 at a time by default. */
  readonly turns: (query?: { readonly after?: number; readonly limit?: number }) => Promise<ReadonlyArray<TurnOutcome>>
  /** Returns when no process of the session is left. A running turn is interrupted and recorded. */
  readonly close: () => Promise<{ readonly alreadyClosed: boolean }>
}

export const makeSession = (backend: Backend, { agent, id }: OpenedSession): Session => {
  const session = backend.session(id)

  const submit = async (
    prompt: Prompt,
    options: TurnOptions,
    messages?: ReadonlyArray<Message>
  ): Promise<Submitted> => {
    checkOptions(options, turnOptionNames)
    checkTurn(options)
    checkPrompt(prompt)
    const { signal: _, ...request } = options
    return session.submit({ ...request, prompt, messages })
  }

  const follow = (submitted: Promise<Submitted>, { signal }: TurnOptions): Followed => {
    const ended = submitted.then((turn) => turn.ended())
    const outcome = ended.then(({ outcome }) => outcome)
    // A caller that only iterates, or only submits, awaits no outcome: its rejection must not count as unhandled in Node.
    outcome.catch(() => {})
    if (signal !== undefined) interruptOn(signal, submitted, outcome)
    const iterable: AsyncIterable<TurnMessage> = {
      [Symbol.asyncIterator]: async function* () {
        yield* (await submitted).messages()
      }
    }
    return { ended, turn: Object.assign(outcome, iterable) }
  }

  const runConversation = async (input: string, options: ConversationOptions = {}) => {
    const { messages: given, ...turnOptions } = options
    let before: ReadonlyArray<Message> | undefined = Array.isArray(given) ? given : undefined
    try {
      checkOptions(options, conversationOptionNames)
      const { interruptReason, outcome } = await follow(submit(input, turnOptions, given), turnOptions).ended
      before ??= await session.messages(outcome.turnIndex).catch(() => [])
      return conversationOf(agent, input, before, outcome, reasonOfInterrupt(outcome, interruptReason, options.signal))
    } catch (error) {
      before ??= await session.messages().catch(() => [])
      return refusedConversation(agent, input, before, asTroupeError(error))
    }
  }

  return {
    id,
    agent,
    turn: (prompt, options = {}) => follow(submit(prompt, options), options).turn,
    runConversation,
    steer: (text) => session.steer(text),
    compact: () => session.compact(),
    messages: () => session.messages(),
    approvals: () => session.approvals(),
    answer: (approvalId, decision, answers) => session.answer(approvalId, decision, answers),
    interrupt: () => session.interrupt(),
    fork: async (request = {}) => {
      checkOptions(request, forkNames)
      checkFork(request)
      return makeSession(backend, await session.fork(request))
    },
    change: async (settings) => {
      checkOptions(settings, settingNames)
      checkChange(settings)
      return session.change(settings)
    },
    close: () => session.close(),
    actor: () => session.actor(),
    reviews: () => session.reviews(),
    view: () => session.view(),
    turns: async (query = {}) => {
      checkOptions(query, { after: true, limit: true })
      const { after = 0, limit = 50 } = query
      return session.turns(after, limit)
    },
    events: (options = {}) => ({
      [Symbol.asyncIterator]: async function* () {
        checkOptions(options, { after: true, follow: true })
        yield* session.events(options.after ?? 0, options.follow)
      }
    }),
    [Symbol.asyncDispose]: async () => void (await session.close())
  }
}

/** Interrupts this turn, also where it still waits in line behind another. */
const interruptOn = (signal: AbortSignal, submitted: Promise<Submitted>, over: Promise<unknown>) => {
  const abort = () => void submitted.then((turn) => turn.interrupt()).catch(() => {})
  if (signal.aborted) return abort()
  signal.addEventListener("abort", abort, { once: true })
  const removeListener = () => signal.removeEventListener("abort", abort)
  over.then(removeListener, removeListener)
}

/** The rejection of a turn as a `TroupeError`. */
const asTroupeError = (error: unknown): TroupeError =>
  error instanceof TroupeError ? error : troupeError(Cause.die(error))
