/** The route by which other nodes ask for this node's sessions. It is there where this node is one of several. */
import { ByteSize, Clock, Effect, Layer } from "effect"
import type { Redacted } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { LocalSessions } from "../cluster/LocalSessions.ts"
import { nodeCalls, nodeCallsPath } from "../cluster/nodeCalls.ts"
import { Nodes } from "../cluster/Nodes.ts"
import { isSigned, signatureHeader } from "../cluster/signature.ts"

const handlers = (secret: Redacted.Redacted<string>) =>
  nodeCalls.toLayer(
    Effect.gen(function* () {
      const sessions = yield* LocalSessions
      const { examined, holdOff, state } = yield* Nodes
      return nodeCalls.of({
        ...sessions,
        holdOff: ({ asked }) => holdOff(asked),
        state: () => state,
        examine: () => examined(secret)
      })
    })
  )

/** As of a route that is not there: who has no secret learns nothing of it. */
const unknown = HttpServerResponse.empty({ status: 404 })

/** A prompt's text is in a call up to twice, and each of its characters may take six. */
const callsPerBody = 12

/** `maxBodyBytes` is what a request of an app may have: calls between nodes carry such requests. */
export const layer = (secret: Redacted.Redacted<string>, maxBodyBytes: number) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      const answered = yield* RpcServer.toHttpEffect(nodeCalls, { disableTracing: true, disableFatalDefects: true })
      yield* router.add(
        "POST",
        nodeCallsPath,
        Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          const body = yield* Effect.orElseSucceed(request.text, () => "")
          const now = yield* Clock.currentTimeMillis
          if (!isSigned(secret, now, body, request.headers[signatureHeader])) return unknown
          return yield* answered
        }).pipe(Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(callsPerBody * maxBodyBytes)))
      )
    })
  ).pipe(Layer.provide(handlers(secret)), Layer.provide(RpcSerialization.layerNdjson))
