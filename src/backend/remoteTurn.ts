/** A turn over HTTP: one stream of it, whose messages are kept for whoever iterates, and whose last event is the outcome. */
import { Effect, Stream } from "effect"
import type { HttpClient } from "effect/http"
import { isAgentMessage } from "../domain/Acp.ts"
import type { AcpMessage } from "../domain/Acp.ts"
import type { TurnMessage } from "../domain/events/StreamedMessage.ts"
import type { TurnOutcome } from "../domain/TurnOutcome.ts"
import * as Client from "../http/Client.ts"
import type { SubmitTurn } from "../http/contract/turns.ts"
import type { EndedTurn, Submitted } from "./Backend.ts"
import type { Promises } from "./runPromises.ts"
import { TroupeError } from "./TroupeError.ts"

/** Resolves when the server has taken the turn. Under its key it is taken once, also where the connection breaks meanwhile. */
export const followTurn = (
  { run }: Promises<HttpClient.HttpClient>,
  client: Client.Client,
  options: Client.ClientOptions,
  session: string,
  turn: typeof SubmitTurn.Type,
  key: string
): Promise<Submitted> => {
  const messages: Array<TurnMessage> = []
  const accepted = Promise.withResolvers<number>()
  const ended = Promise.withResolvers<EndedTurn>()
  // Whoever holds the turn may not wait for its end.
  ended.promise.catch(() => {})
  let news = Promise.withResolvers<void>()
  const tell = () => {
    news.resolve()
    news = Promise.withResolvers()
  }
  const take = (event: Stream.Success<ReturnType<typeof Client.streamTurn>>) => {
    if (event.event === "result") {
      const outcome = event.data as TurnOutcome
      accepted.resolve(outcome.turnIndex)
      // A turn that this request has not begun, or whose stream broke before its first message: its outcome has them all.
      if (messages.length === 0) messages.push(...(outcome.events as ReadonlyArray<TurnMessage>))
      ended.resolve({ outcome, interruptReason: null })
    } else if (event.event === "error") {
      const { detail, error, status } = event.data as { detail: string; error: string; status: number }
      throw new TroupeError({ code: error, status, message: detail })
    } else if (isAgentMessage(event.data as AcpMessage)) {
      messages.push(event.data as TurnMessage)
    }
    tell()
  }
  const fail = (error: unknown) => {
    accepted.reject(error)
    ended.reject(error)
    tell()
  }
  const stream = Client.streamTurn(options, session, turn, key, accepted.resolve)
  run(Stream.runForEach(stream, (event) => Effect.sync(() => take(event)))).catch(fail)

  const iterate = async function* () {
    let isOver = false
    const over = () => {
      isOver = true
    }
    ended.promise.then(over, over)
    for (let next = 0; ;) {
      const { promise } = news
      while (next < messages.length) yield messages[next++]!
      if (isOver) {
        await ended.promise
        return
      }
      await Promise.race([promise, ended.promise.then(over, over)])
    }
  }

  const interrupt = async () => {
    const index = await accepted.promise
    await run(client.turns.interrupt({ params: { id: session, n: index } }))
  }
  return accepted.promise.then((index) => ({ index, ended: () => ended.promise, messages: iterate, interrupt }))
}
