/** The route by which other nodes fetch the uploaded files of this one: signed as their calls are, and answered as a stream. */
import { Clock, Effect, FileSystem, Layer, Option } from "effect"
import type { Redacted } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { nodeFilesPath, signedOf } from "../cluster/fileCopies.ts"
import { isSigned, signatureHeader } from "../cluster/signature.ts"
import { AppName, FileId } from "../domain/Ids.ts"
import { Files } from "../services/Files.ts"

/** As of a route that is not there: who has no secret learns nothing of it. */
const unknown = HttpServerResponse.empty({ status: 404 })
const failed = HttpServerResponse.empty({ status: 503 })

export const layer = (secret: Redacted.Redacted<string>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      const files = yield* Files
      const fs = yield* FileSystem.FileSystem
      yield* router.add(
        "GET",
        `${nodeFilesPath}/:app/:id`,
        Effect.gen(function* () {
          const { headers, url } = yield* HttpServerRequest.HttpServerRequest
          const now = yield* Clock.currentTimeMillis
          if (!isSigned(secret, now, signedOf(url), headers[signatureHeader])) return unknown
          const { app = "", id = "" } = yield* HttpRouter.params
          if (app === "" || id === "") return unknown
          const file = yield* files.onDisk(AppName.make(app), FileId.make(id))
          if (Option.isNone(file)) return unknown
          return HttpServerResponse.stream(fs.stream(file.value.path), {
            contentType: "application/octet-stream",
            contentLength: file.value.size
          })
        }).pipe(Effect.catchTag("Unavailable", () => Effect.succeed(failed)))
      )
    })
  )
