/** Uploads over HTTP: one file part, streamed to its place in the data dir. */
import { Cause, Effect, Option, Stream } from "effect"
import { Multipart } from "effect/http"
import type { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Files } from "../../services/Files.ts"
import type { StoredFile } from "../../services/Files.ts"
import type { AppName } from "../../domain/Ids.ts"
import { FileTooLarge, InvalidRequest } from "../../domain/Refusal.ts"
import { unknownMember } from "../../domain/schemaProblem.ts"
import { Api } from "../Api.ts"
import { orProblem } from "../problems.ts"
import { currentApp } from "../currentApp.ts"

/** Room in a form besides its file: boundaries, part headers, fields that are refused. */
const formBytes = 64 * 1024

export const layer = HttpApiBuilder.group(
  Api,
  "files",
  Effect.fnUntraced(function* (handlers) {
    const files = yield* Files
    const { maxFileBytes } = files
    const limits = Multipart.limitsServices({
      maxParts: 16,
      maxFieldSize: formBytes,
      maxTotalSize: maxFileBytes + formBytes
    })

    const store = Effect.fnUntraced(function* (
      app: AppName,
      parts: Stream.Stream<Multipart.Part, Multipart.MultipartError>
    ) {
      const stored = yield* parts.pipe(
        Stream.catchCause(unreadableForm),
        Stream.provideContext(limits),
        Stream.runFoldEffect(Option.none<StoredFile>, (first, part) => {
          if (!Multipart.isFile(part))
            return part.key === "file" ? Effect.succeed(first) : Effect.fail(unknownPart(part.key))
          return Option.isSome(first)
            ? Effect.fail(
                new InvalidRequest({ field: "file", problem: "must be one file: send each in a request of its own." })
              )
            : Effect.asSome(files.store(app, part.name, part.content))
        }),
        Effect.catchIf(Multipart.isMultipartError, (error) => Effect.fail(refusalOf(error, maxFileBytes)))
      )
      if (Option.isSome(stored)) return stored.value
      return yield* new InvalidRequest({
        field: "file",
        problem: "is missing: send one file part, as `curl -F file=@NAME` does."
      })
    })

    return handlers.handle(
      "upload",
      Effect.fnUntraced(function* ({ request }) {
        const app = yield* currentApp
        const announced = Number(request.headers["content-length"] ?? 0)
        const stored =
          announced > maxFileBytes + formBytes
            ? Effect.fail(new FileTooLarge({ limitBytes: maxFileBytes }))
            : store(app, partsOf(request))
        const { id, name, size } = yield* orProblem(stored)
        return { ok: true, fileId: id, name, size } as const
      })
    )
  })
)

/**
 * The parts, read as they are asked for. Not the request's own `multipartStream` (effect 4.1): what its parser finds
 * behind the end of a form it pushes into a Node stream that has ended, and where nobody listens to that stream any
 * more, the error ends the server.
 */
const partsOf = (request: HttpServerRequest.HttpServerRequest) =>
  request.stream.pipe(
    Stream.mapError((error) => Multipart.MultipartError.fromReason("InternalError", error)),
    Stream.pipeThroughChannel(Multipart.makeChannel(request.headers))
  )

/** The parser dies of a part without a body (effect 4.1). Nothing else is in its stream, so the form is what is wrong. */
const unreadableForm = (cause: Cause.Cause<Multipart.MultipartError>) => {
  const defect = cause.reasons.find((reason) => reason._tag === "Die")
  return Stream.failCause(
    defect === undefined ? cause : Cause.fail(Multipart.MultipartError.fromReason("Parse", defect.defect))
  )
}

const unknownPart = (key: string) => new InvalidRequest(unknownMember(key, ["file"], "field"))

const refusalOf = ({ reason }: Multipart.MultipartError, maxFileBytes: number) => {
  switch (reason._tag) {
    case "FileTooLarge":
    case "BodyTooLarge":
      return new FileTooLarge({ limitBytes: maxFileBytes })
    case "TooManyParts":
      return new InvalidRequest({ field: "body", problem: "has more parts than the 16 that are taken." })
    case "FieldTooLarge":
      return new InvalidRequest({ field: "body", problem: `has a field of more than ${formBytes} bytes.` })
    case "Parse":
    case "InternalError":
      return new InvalidRequest({
        field: "body",
        problem: "is not multipart/form-data that can be read to its end, with the boundary that content-type names."
      })
  }
}
