/** The contract of uploads. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorized } from "./Auth.ts"
import { badRequests, ownFaults } from "./Problem.ts"
import { Ok, wire } from "./wire.ts"

export const UploadedFile = wire("UploadedFile", {
  ok: Ok,
  fileId: Schema.String,
  name: Schema.String,
  size: Schema.Int.annotate({ description: "Bytes." })
})

export class FilesGroup extends HttpApiGroup.make("files")
  .add(
    HttpApiEndpoint.post("upload", "/files", {
      payload: Schema.Struct({
        file: Schema.String.annotate({
          // The one is OpenAPI 3.1's word for bytes, the other is what generators know.
          contentMediaType: "application/octet-stream",
          format: "binary",
          description: "The one file part."
        })
      }).pipe(HttpApiSchema.asMultipartStream()),
      success: UploadedFile,
      error: [...badRequests, ...ownFaults]
    }).annotate(OpenApi.Summary, "Upload one file, to be named by its id in `files` of a turn or a run")
  )
  .middleware(Authorized)
  .annotate(OpenApi.Description, "Files of the app.") {}
