/**
 * One session at one client: its events are told in order, once, from the ledger and then live. It is the connection's own, and
 * ends with it; the session goes on.
 */
import type { Backend, SessionBackend, Submitted } from "../../backend/Backend.ts"
import type { StreamedEvent } from "../../domain/events/StreamedMessage.ts"
import { TroupeError } from "../../backend/TroupeError.ts"
import * as Asking from "./Asking.ts"
import { agentsFor, offersOf, optionsOf } from "./options.ts"
import type { Options } from "./options.ts"
import type { Peer } from "./Peer.ts"
import { toldOf } from "./updates.ts"
import type { Ended } from "./updates.ts"

export interface Following {
  readonly session: SessionBackend
  /** Tells everything that is stored after `after`; then, and without it, goes on with what comes. */
  readonly begin: (after: number | null) => Promise<void>
  /** Its events are told like everybody's, but for the prompt, which the client shows itself. Resolves when all are told. */
  readonly prompt: (submit: () => Promise<Submitted>) => Promise<Ended>
  /** Stops the turns that this client has submitted, or the one that runs. */
  readonly cancel: () => Promise<void>
  /** Stops what runs, and this client's turns that wait; their prompts are answered as cancelled, and nothing more is told. */
  readonly close: () => Promise<void>
  readonly options: () => Promise<Options>
  readonly tellOptions: () => Promise<void>
  readonly stop: () => void
  readonly isOver: () => boolean
}

const letGo =
  "This connection follows the session no longer: it ended, or closed or loaded the session meanwhile. The session goes on, and session/load shows it."

export const make = (peer: Peer, backend: Backend, id: string): Following => {
  const session = backend.session(id)
  const asking = Asking.make(peer, id, session)
  const own = new Map<number, { readonly turn: Submitted; readonly ended: PromiseWithResolvers<Ended> }>()
  const submitting = new Set<Promise<unknown>>()
  let shownOptions = ""
  let live: AsyncIterator<StreamedEvent> | undefined
  let isReplay = false
  /** Why nothing more is told. */
  let over: { readonly why: unknown } | undefined
  let last = 0

  const tell = (update: object, { message, seq }: StreamedEvent) => {
    const { _meta } = (message.method === undefined ? {} : message.params) as { readonly _meta?: object }
    return peer.notify("session/update", { sessionId: id, update, _meta: { ..._meta, "troupe/seq": seq } })
  }

  const take = async (event: StreamedEvent): Promise<void> => {
    last = event.seq
    const told = toldOf(event, peer.shows)
    switch (told?._tag) {
      case "Update":
        return tell(told.update, event)
      case "Noted":
        return tell(
          peer.shows.notices
            ? { sessionUpdate: "notice", severity: "warning", title: told.text }
            : { sessionUpdate: "agent_thought_chunk", content: { type: "text", text: told.text } },
          event
        )
      case "Submitted":
        // Whether it is this client's own is known when its submission is answered.
        await Promise.allSettled(submitting)
        if (own.has(told.turn)) return
        for (const content of told.content) await tell({ sessionUpdate: "user_message_chunk", content }, event)
        return
      case "Ended": {
        own.get(told.ended.turn)?.ended.resolve(told.ended)
        own.delete(told.ended.turn)
        if (!isReplay) await tellOptions()
        return
      }
      case "Changed":
        return isReplay ? undefined : tellOptions()
      case "Asked":
        return isReplay ? undefined : asking.askPending()
      case "Settled":
        return asking.settled(told.approval)
    }
  }

  const options = async () => {
    const view = await session.view()
    const [offers, agents] = await Promise.all([offersOf(backend, view), agentsFor(backend, view)])
    const found = optionsOf(view, offers, agents)
    shownOptions = JSON.stringify(found.configOptions)
    return found
  }

  /** Those that the client has not seen. */
  const tellOptions = async () => {
    const before = shownOptions
    const { configOptions } = await options()
    if (shownOptions === before) return
    await peer.notify("session/update", {
      sessionId: id,
      update: { sessionUpdate: "config_option_update", configOptions }
    })
  }

  const end = (error: unknown) => {
    over ??= { why: error }
    asking.stop()
    for (const { ended } of own.values()) ended.reject(error)
    own.clear()
  }

  /** It may have been stopped while something else was waited for. */
  const checkOn = () => {
    if (over !== undefined) throw over.why
  }

  const goOn = async () => {
    try {
      for await (const event of { [Symbol.asyncIterator]: () => live! }) await take(event)
      end(
        new TroupeError({ code: "session_closed", status: 410, message: "The session is closed. Start another one." })
      )
    } catch (error) {
      end(error)
    }
  }

  return {
    session,
    begin: async (after) => {
      if (after === null) {
        for await (const { seq } of session.events(-1, false)) last = seq
      } else {
        last = after
        isReplay = true
        for await (const event of session.events(after, false)) {
          checkOn()
          await take(event)
        }
        isReplay = false
      }
      checkOn()
      live = session.events(last)[Symbol.asyncIterator]()
      void goOn()
      await asking.askPending()
    },
    prompt: async (submit) => {
      const ended = Promise.withResolvers<Ended>()
      ended.promise.catch(() => {})
      const submission = submit().then((turn) => own.set(turn.index, { turn, ended }))
      submitting.add(submission)
      await submission.finally(() => submitting.delete(submission))
      checkOn()
      return ended.promise
    },
    cancel: async () => {
      await Promise.allSettled(submitting)
      const turns = [...own.values()]
      if (turns.length === 0) await session.interrupt()
      else await Promise.all(turns.map(({ turn }) => turn.interrupt()))
    },
    close: async () => {
      await Promise.allSettled(submitting)
      const turns = [...own.values()]
      await Promise.all([session.interrupt(), ...turns.map(({ turn }) => turn.interrupt())])
      // Told by their own ends; one whose end is late is cancelled as well.
      await Promise.race([Promise.allSettled(turns.map(({ ended }) => ended.promise)), pause(endsToldWithin)])
      for (const { ended, turn } of turns) ended.resolve(cancelled(turn.index))
      own.clear()
    },
    options,
    tellOptions,
    stop: () => {
      if (over !== undefined) return
      end(new TroupeError({ code: "unavailable", status: 503, message: letGo }))
      void live?.return?.()
    },
    isOver: () => over !== undefined
  }
}

/** The turns have ended by then: what is left to be told of them is read. */
const endsToldWithin = 5_000

const pause = (millis: number) => new Promise<void>((resolve) => void setTimeout(resolve, millis).unref())

const cancelled = (turn: number): Ended => ({
  turn,
  stopReason: "cancelled",
  error: null,
  errorClass: null,
  usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0, cachedReadTokens: 0, thoughtTokens: 0 }
})
