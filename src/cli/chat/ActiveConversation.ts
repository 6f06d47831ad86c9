/**
 * The conversation that a chat is in. `/fork` and `/thread` move the chat to another session; the one that it leaves is
 * closed, so that a chat never has more than one.
 */
import { Effect, Stream } from "effect"
import type { CommandFailed } from "../failures.ts"
import type { Conversation } from "./Conversation.ts"

export interface ActiveConversation {
  readonly current: () => Conversation
  /** The events of one conversation after the other; ends when the current one is closed. */
  readonly events: Conversation["events"]
  /** Nothing changes where `next` fails. */
  readonly moveTo: (next: Effect.Effect<Conversation, CommandFailed>) => Effect.Effect<void, CommandFailed>
  readonly close: Effect.Effect<void, CommandFailed>
}

export const make = (first: Conversation): ActiveConversation => {
  let current = first
  const eventsFrom = (conversation: Conversation): Conversation["events"] =>
    Stream.concat(
      conversation.events,
      Stream.suspend(() => (conversation === current ? Stream.empty : eventsFrom(current)))
    )
  return {
    current: () => current,
    events: Stream.suspend(() => eventsFrom(current)),
    // Without interruption, or the new session could be left open.
    moveTo: (next) =>
      Effect.flatMap(next, (conversation) => {
        const former = current
        current = conversation
        return former.close
      }).pipe(Effect.uninterruptible),
    close: Effect.suspend(() => current.close)
  }
}
