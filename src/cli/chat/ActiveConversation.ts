/**
 * The conversation that a chat is in. `/fork` and `/thread` move the chat to another session; the one that it leaves is
 * closed, so that a chat never has more than one. A session that was there before the chat stays open behind it, and so
 * does one that the chat was told to leave.
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
  /** Whether the session stays open when the chat ends. */
  readonly staysOpen: () => boolean
  readonly leaveOpen: (stays: boolean) => void
  /** Closes the session, unless it stays open. */
  readonly end: Effect.Effect<void, CommandFailed>
}

export const make = (first: Conversation, wasThere: boolean): ActiveConversation => {
  let current = first
  let stays = wasThere
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
        const formerStays = stays
        current = conversation
        stays = false
        return formerStays ? Effect.void : former.close
      }).pipe(Effect.uninterruptible),
    staysOpen: () => stays,
    leaveOpen: (wish) => void (stays = wish),
    end: Effect.suspend(() => (stays ? Effect.void : current.close))
  }
}
