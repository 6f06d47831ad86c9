/** What each state and each transition of the review machine means, in a sentence for an operator. */
import { timeWords } from "../describe.ts"
import type { Sentences } from "../describe.ts"

interface Bounds {
  readonly iterations: number
  readonly callWithinMillis: number
  readonly reviewWithinMillis: number
}

const endsAs = {
  endedCancelled: "was cancelled.",
  endsFailed: "failed.",
  else: "went over its bounds."
}
const stopped = (how: string) =>
  Object.fromEntries(Object.entries(endsAs).map(([guard, end]) => [guard, `${how}; the review ${end}`]))

export const sentencesWith = (bounds: Bounds, stopWithinMillis: number): Sentences => ({
  working: {
    state: "The review is at work: it reads a conversation, and may write memories and skills.",
    on: {
      "after reviewWithin": `The review took longer than ${timeWords(bounds.reviewWithinMillis)}, so it is stopped.`,
      "cancel.requested": "The review is cancelled, such as by a turn that begins, so it is stopped."
    }
  },
  "working.preparing": {
    state: "The conversation to be reviewed is read.",
    on: {
      "snapshot.taken": {
        isHosted: "The app does the reviewing itself, so it gets the conversation.",
        isTooLarge: "The conversation is larger than a review may be, so there is none.",
        else: "The conversation is read, so the model is called."
      },
      "snapshot.failed": "The conversation could not be read, so the review fails."
    }
  },
  "working.handedOver": {
    state: "The app has the conversation and does the reviewing.",
    on: {
      "host.finished": "The app is done with the review.",
      "host.failed": "The app could not do the review."
    }
  },
  "working.calling": {
    state: `The model was called, and has ${timeWords(bounds.callWithinMillis)} to answer.`,
    on: {
      "after callWithin": "The model did not answer in time, so the review is stopped.",
      "model.answered": {
        wantsTools: "The model wants to use tools, so they are run.",
        else: "The model has nothing more to do, so the review is complete."
      },
      "model.failed": "The model could not be called, so the review fails."
    }
  },
  "working.dispatching": {
    state: "The tools that the model wants are run: they write memories and skills.",
    on: {
      "tools.finished": {
        isOutOfCalls: `The model was called ${bounds.iterations} times and is not done, so the review ends.`,
        isOutOfTokens: "The next call would take more input tokens than a review may use, so it ends.",
        else: "The tools have run, so the model is called with what they gave."
      },
      "tools.failed": "A tool could not be run, so the review fails."
    }
  },
  stopping: {
    state: `What is at work is stopped; after ${timeWords(stopWithinMillis)} it is left to itself.`,
    on: {
      "after stopWithin": stopped("What is at work did not stop in time and is left to itself"),
      "work.stopped": stopped("Nothing is at work any more"),
      "model.answered": "An answer was on its way already: what it cost is counted, what it wants is not done.",
      "cancel.requested": "It is being stopped already."
    }
  },
  completed: { state: "The review is complete." },
  cancelled: { state: "The review was cancelled." },
  failed: { state: "The review failed." },
  overBudget: { state: "The review went over its bounds and was ended." }
})
