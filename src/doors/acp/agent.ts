/**
 * Troupe as an agent of the Agent Client Protocol: one connection of one client, over a `Backend`.
 *
 * A session of the protocol is a session of Troupe by the same id. The connection follows those that its client has opened, and
 * holds nothing else of them: when it ends, they go on.
 */
import type { AgentApp, AgentConnection, InitializeRequest, InitializeResponse } from "@agentclientprotocol/sdk"
import manifest from "../../../package.json" with { type: "json" }
import type { Backend } from "../../backend/Backend.ts"
import { asRequestError, invalid, turnFailed } from "./errors.ts"
import * as Following from "./Following.ts"
import { changeOf, offersOf } from "./options.ts"
import type { Options } from "./options.ts"
import { peerOf, showsOf } from "./Peer.ts"
import type { Peer } from "./Peer.ts"
import { newSession, promptOf } from "./requests.ts"
import type { Defaults } from "./requests.ts"
import type { Sdk } from "./sdk.ts"
import { listed } from "./sessionList.ts"
import type { Ended } from "./updates.ts"

export interface ConnectionOptions {
  readonly backend: Backend
  readonly defaults: Defaults
  /** For the log. */
  readonly note: (line: string) => void
}

/** That one connection follows at a time. */
export const mostSessions = 64

/** A new app of the package for each connection: it has the connection's state. */
export const makeAgent = (sdk: Sdk, { backend, defaults, note }: ConnectionOptions): AgentApp => {
  const { methods } = sdk
  const following = new Map<string, Following.Following>()
  const opening = new Map<string, Promise<unknown>>()
  let connection: AgentConnection | undefined
  let shows: Peer["shows"] = showsOf(undefined)
  let client: string | null = null

  const follow = (id: string): Following.Following => {
    const known = following.get(id)
    if (known !== undefined && !known.isOver()) return known
    if (connection === undefined) throw invalid(sdk, "Send initialize first.")
    // Those that were closed elsewhere are nothing that the client has open.
    for (const [other, one] of following) if (one.isOver()) following.delete(other)
    if (following.size >= mostSessions) {
      throw invalid(
        sdk,
        `This connection has ${mostSessions} sessions open. Close one with session/close, or open another connection.`
      )
    }
    const one = Following.make(peerOf(connection, shows, note), backend, id)
    following.set(id, one)
    return one
  }

  const letGo = (id: string) => {
    following.get(id)?.stop()
    following.delete(id)
  }

  /** What is told of it anew begins behind `after`; `null`: with what comes. One after the other, so that one alone tells. */
  const open = (id: string, after: number | null): Promise<Options> => {
    const before = opening.get(id) ?? Promise.resolve()
    const begun = before
      .then(
        () => openNow(id, after),
        () => openNow(id, after)
      )
      .finally(() => {
        if (opening.get(id) === begun) opening.delete(id)
      })
    opening.set(id, begun)
    return begun
  }

  const openNow = async (id: string, after: number | null) => {
    letGo(id)
    const one = follow(id)
    try {
      // Before the first event: an unknown session is an error of this request.
      const options = await one.options()
      await one.begin(after)
      return options
    } catch (error) {
      if (following.get(id) === one) letGo(id)
      throw error
    }
  }

  /** The session as this connection has it, also where the client has not opened it. Requests that come together open it once. */
  const opened = async (id: string): Promise<Following.Following> => {
    const known = following.get(id)
    if (known !== undefined && !known.isOver()) return known
    await (opening.get(id) ?? open(id, null))
    return following.get(id) ?? opened(id)
  }

  const answering =
    <Params, Answer>(handle: (params: Params, signal: AbortSignal) => Promise<Answer>) =>
    async ({ params, signal }: { readonly params: Params; readonly signal: AbortSignal }): Promise<Answer> => {
      try {
        return await handle(params, signal)
      } catch (error) {
        const { sessionId } = params as { readonly sessionId?: string }
        throw asRequestError(sdk, error, sessionId)
      }
    }

  const initialize = ({ clientCapabilities, clientInfo }: InitializeRequest): InitializeResponse => {
    shows = showsOf(clientCapabilities)
    client = clientInfo?.name.slice(0, 200) ?? null
    return {
      protocolVersion: sdk.PROTOCOL_VERSION,
      agentInfo: { name: "troupe", title: "Troupe", version: manifest.version },
      authMethods: [],
      agentCapabilities: {
        loadSession: true,
        promptCapabilities: { image: true, embeddedContext: true },
        mcpCapabilities: { http: true, sse: true },
        sessionCapabilities: { additionalDirectories: {}, close: {}, delete: {}, list: {}, resume: {} }
      }
    }
  }

  const prompt = async (
    id: string,
    one: Following.Following,
    signal: AbortSignal,
    blocks: Parameters<typeof promptOf>[1]
  ) => {
    const text = promptOf(sdk, blocks)
    // The end of the connection aborts the signal, too, and is no wish to stop the turn.
    const stop = () => queueMicrotask(() => void (connection?.signal.aborted === false && one.cancel().catch(() => {})))
    signal.addEventListener("abort", stop, { once: true })
    try {
      const ended = await one.prompt(() => one.session.submit({ prompt: text, queue: true }))
      return promptAnswer(sdk, id, ended)
    } finally {
      signal.removeEventListener("abort", stop)
    }
  }

  return sdk
    .agent({ name: "troupe" })
    .onConnect((opened) => {
      connection = opened
      opened.signal.addEventListener("abort", () => {
        for (const id of following.keys()) letGo(id)
      })
    })
    .onRequest(methods.agent.initialize, ({ params }) => initialize(params))
    .onRequest(methods.agent.authenticate, () => ({}))
    .onRequest(
      methods.agent.session.new,
      answering(async (params) => {
        const questions = shows.forms ? "ask" : "decline"
        const { id: sessionId } = await backend.create(newSession(sdk, params, defaults, { client, questions }))
        return { sessionId, ...(await open(sessionId, 0)) }
      })
    )
    .onRequest(
      methods.agent.session.load,
      answering(({ sessionId }) => open(sessionId, 0))
    )
    .onRequest(
      methods.agent.session.resume,
      answering(({ _meta, sessionId }) => open(sessionId, cursorIn(sdk, _meta?.["troupe/after"])))
    )
    .onRequest(
      methods.agent.session.list,
      answering((params) => listed(backend, params))
    )
    .onRequest(
      methods.agent.session.close,
      answering(async ({ sessionId }) => {
        const one = following.get(sessionId)
        await (one === undefined ? backend.session(sessionId).interrupt() : one.close())
        letGo(sessionId)
        return {}
      })
    )
    .onRequest(
      methods.agent.session.delete,
      answering(async ({ sessionId }) => {
        await following.get(sessionId)?.close()
        await backend.session(sessionId).close()
        letGo(sessionId)
        return {}
      })
    )
    .onRequest(
      methods.agent.session.prompt,
      answering(async ({ prompt: blocks, sessionId }, signal) =>
        prompt(sessionId, await opened(sessionId), signal, blocks)
      )
    )
    .onRequest(
      methods.agent.session.setMode,
      answering(async ({ modeId, sessionId }) => {
        await change(await opened(sessionId), "mode", modeId)
        return {}
      })
    )
    .onRequest(
      methods.agent.session.setConfigOption,
      answering(async ({ configId, sessionId, value }) => {
        if (typeof value !== "string") throw invalid(sdk, `value: ${configId} takes one of its options.`)
        return { configOptions: await change(await opened(sessionId), configId, value) }
      })
    )
    .onNotification(methods.agent.session.cancel, async ({ params: { sessionId } }) => {
      // A notification has no answer: what could not be stopped is seen by its turn, which goes on.
      const one = following.get(sessionId)
      await (one === undefined ? backend.session(sessionId).interrupt() : one.cancel()).catch((error: unknown) =>
        note(`A turn could not be cancelled: ${error instanceof Error ? error.message : String(error)}`)
      )
    })

  async function change(one: Following.Following, id: string, value: string) {
    const view = await one.session.view()
    const settings = changeOf(id, value, view, await offersOf(backend, view))
    if (settings === null)
      throw invalid(sdk, `configId is ${JSON.stringify(id)}; it takes agent, model, mode, effort and permissions.`)
    await one.session.change(settings)
    return (await one.options()).configOptions
  }
}

const promptAnswer = (sdk: Sdk, id: string, { error, errorClass, stopReason, turn, usage }: Ended) => {
  if (error !== null) throw turnFailed(sdk, id, turn, { class: errorClass, message: error })
  return {
    stopReason: stopReasonOf(stopReason),
    // Of the protocol's next version; clients of this one leave it.
    usage,
    _meta: { "troupe/turn_index": turn }
  }
}

const stopReasons = ["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled"] as const

const stopReasonOf = (reason: string) => stopReasons.find((known) => known === reason) ?? "end_turn"

/** The `_meta["troupe/seq"]` of the last update that the client has; absent: it wants what comes only. */
const cursorIn = (sdk: Sdk, cursor: unknown): number | null => {
  if (cursor === undefined || cursor === null) return null
  if (typeof cursor === "number" && Number.isSafeInteger(cursor) && cursor >= 0) return cursor
  throw invalid(sdk, '_meta["troupe/after"] must be the troupe/seq of an update: a whole number, 0 for all.')
}
