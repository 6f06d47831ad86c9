/**
 * One background review, from its snapshot of the conversation to its record.
 *
 * Pure, like the session's machine. It looks at a conversation and may write memories and skills, either by a tool loop
 * against a model (`calling`, `dispatching`) or by the host (`handedOver`). Its bounds are data: so many calls, so many
 * input tokens, so much time; whoever cancels it waits for `stopping`, which has a deadline of its own.
 */
import { assign, setup } from "xstate"
import type { SnapshotFrom } from "xstate"
import { command } from "../decide.ts"
import { described } from "../describe.ts"
import type { CommandsOf } from "../decide.ts"
import { sentencesWith } from "./sentences.ts"
import type { Usage } from "../../src/domain/Turn.ts"

export interface ReviewBounds {
  /** Calls of the model. */
  readonly iterations: number
  /** Over all calls. */
  readonly inputTokens: number
  readonly callWithinMillis: number
  readonly reviewWithinMillis: number
}

export const defaultReviewBounds: ReviewBounds = {
  iterations: 16,
  inputTokens: 600_000,
  callWithinMillis: 90_000,
  reviewWithinMillis: 240_000
}

/** Tokens of a review, over all its calls so far. */
export type ReviewUsage = Usage

export type ReviewEnding = "completed" | "cancelled" | "failed" | "over_budget"

export interface ReviewContext {
  readonly iterations: number
  readonly usage: ReviewUsage
  /** What the next call will cost at least: a conversation only grows. */
  readonly nextInputTokens: number
  /** How it ends once it has stopped. */
  readonly ending: ReviewEnding
  /** Why it ended as it did, for a person; empty where there is nothing to say. */
  readonly reason: string
}

export type ReviewEvent =
  /** `hosted`: the host takes it over. `inputTokens` is what the first call will cost, estimated. */
  | { readonly type: "snapshot.taken"; readonly hosted: boolean; readonly inputTokens: number }
  | { readonly type: "snapshot.failed"; readonly reason: string }
  /** `calls`: how many tools it wants to use; 0 is its last word. */
  | { readonly type: "model.answered"; readonly calls: number; readonly usage: ReviewUsage }
  | { readonly type: "model.failed"; readonly reason: string }
  | { readonly type: "tools.finished" }
  | { readonly type: "tools.failed"; readonly reason: string }
  | { readonly type: "host.finished" }
  | { readonly type: "host.failed"; readonly reason: string }
  | { readonly type: "cancel.requested"; readonly reason: string }
  /** Nothing of it is at work any more. */
  | { readonly type: "work.stopped" }

const unspent: ReviewUsage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  totalTokens: 0
}

const begun: ReviewContext = { iterations: 0, usage: unspent, nextInputTokens: 0, ending: "completed", reason: "" }

/** Its own copy of `addUsage` (src/domain/Turn.ts): of src/domain a machine imports types only. */
const sum = (a: ReviewUsage, b: ReviewUsage): ReviewUsage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  totalTokens: a.totalTokens + b.totalTokens
})

/** A live turn waits for this, and never more than 2 s in all. */
const stopWithin = 1_500

export const reviewMachineWith = (bounds: ReviewBounds) => {
  /** Notes how it ends, and why: in the event's words, or in ours. */
  const ends =
    (ending: ReviewEnding, reason?: string) =>
    ({ event }: { readonly event: ReviewEvent }) => ({
      ending,
      reason: reason ?? ("reason" in event ? event.reason : "")
    })

  const words = setup({
    types: { context: {} as ReviewContext, events: {} as ReviewEvent },
    delays: {
      callWithin: bounds.callWithinMillis,
      reviewWithin: bounds.reviewWithinMillis,
      stopWithin
    },
    guards: {
      isHosted: ({ event }) => event.type === "snapshot.taken" && event.hosted,
      isTooLarge: ({ event }) => event.type === "snapshot.taken" && event.inputTokens > bounds.inputTokens,
      isOutOfCalls: ({ context }) => context.iterations >= bounds.iterations,
      isOutOfTokens: ({ context }) => context.usage.inputTokens + context.nextInputTokens > bounds.inputTokens,
      wantsTools: ({ event }) => event.type === "model.answered" && event.calls > 0,
      endedCancelled: ({ context }) => context.ending === "cancelled",
      endsFailed: ({ context }) => context.ending === "failed"
    },
    actions: {
      takeSnapshot: command<Record<never, never>>({ delivery: "once" }),
      callModel: command<{ readonly iteration: number }>({ delivery: "once" }),
      runTools: command<{ readonly iteration: number }>({ delivery: "once" }),
      askHost: command<Record<never, never>>({ delivery: "once" }),
      stopWork: command<Record<never, never>>({ delivery: "once" }),

      countCall: assign({ iterations: ({ context }) => context.iterations + 1 }),
      spend: assign(({ context, event }) =>
        event.type === "model.answered"
          ? {
              usage: sum(context.usage, event.usage),
              nextInputTokens: event.usage.inputTokens + event.usage.outputTokens
            }
          : {}
      ),
      noteCancelled: assign(ends("cancelled")),
      noteFailed: assign(ends("failed")),
      noteSilence: assign(ends("failed", `The model did not answer within ${bounds.callWithinMillis / 1_000} s.`)),
      noteOverrun: assign(ends("over_budget", `It took longer than ${bounds.reviewWithinMillis / 1_000} s.`)),
      noteOutOfCalls: assign(
        ends("over_budget", `It made ${bounds.iterations} calls (reviews.iterations) and was not done.`)
      ),
      noteTooDear: assign(
        ends(
          "over_budget",
          `Its next call would take it over ${bounds.inputTokens} input tokens (reviews.inputTokens).`
        )
      )
    }
  })

  const working = words.createStateConfig({
    initial: "preparing",
    after: {
      reviewWithin: {
        target: "stopping",
        actions: "noteOverrun"
      }
    },
    on: { "cancel.requested": { target: "stopping", actions: "noteCancelled" } },
    states: {
      preparing: {
        entry: { type: "takeSnapshot", params: {} },
        on: {
          "snapshot.taken": [
            { guard: "isHosted", target: "handedOver" },
            { guard: "isTooLarge", target: "#review.overBudget", actions: "noteTooDear" },
            { target: "calling" }
          ],
          "snapshot.failed": { target: "#review.failed", actions: "noteFailed" }
        }
      },
      handedOver: {
        entry: { type: "askHost", params: {} },
        on: {
          "host.finished": "#review.completed",
          "host.failed": { target: "#review.failed", actions: "noteFailed" }
        }
      },
      calling: {
        entry: ["countCall", { type: "callModel", params: ({ context }) => ({ iteration: context.iterations }) }],
        after: {
          callWithin: {
            target: "#review.stopping",
            actions: "noteSilence"
          }
        },
        on: {
          "model.answered": [
            { guard: "wantsTools", target: "dispatching", actions: "spend" },
            { target: "#review.completed", actions: "spend" }
          ],
          "model.failed": { target: "#review.failed", actions: "noteFailed" }
        }
      },
      dispatching: {
        entry: { type: "runTools", params: ({ context }) => ({ iteration: context.iterations }) },
        on: {
          "tools.finished": [
            {
              guard: "isOutOfCalls",
              target: "#review.overBudget",
              actions: "noteOutOfCalls"
            },
            { guard: "isOutOfTokens", target: "#review.overBudget", actions: "noteTooDear" },
            { target: "calling" }
          ],
          "tools.failed": { target: "#review.failed", actions: "noteFailed" }
        }
      }
    }
  })

  const stopped = [
    { guard: "endedCancelled", target: "cancelled" },
    { guard: "endsFailed", target: "failed" },
    { target: "overBudget" }
  ] as const

  /** What is at work is interrupted. What will not stop is left to itself at the deadline: nobody waits for it. */
  const stopping = words.createStateConfig({
    entry: { type: "stopWork", params: {} },
    after: { stopWithin: stopped },
    on: {
      "work.stopped": stopped,
      // The answer was on its way already: what it cost is counted, what it wants is not done.
      "model.answered": { actions: "spend" },
      // A live turn that comes now finds it stopping already; how it ends was decided.
      "cancel.requested": {}
    }
  })

  const final = words.createStateConfig({ type: "final" })
  const sentences = sentencesWith(bounds, stopWithin)

  return words.createMachine({
    id: "review",
    description: "One background review of a conversation, from reading it to its record.",
    context: begun,
    initial: "working",
    states: described(
      { working, stopping, completed: final, cancelled: final, failed: final, overBudget: final },
      sentences
    )
  })
}

export const reviewMachine = reviewMachineWith(defaultReviewBounds)

export type ReviewMachine = typeof reviewMachine
export type ReviewSnapshot = SnapshotFrom<ReviewMachine>
export type ReviewCommand = CommandsOf<ReviewMachine>
