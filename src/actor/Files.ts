/** Uploaded files: kept under the data dir by names of ours, and put in front of a prompt by their paths. */
import { Context } from "effect"
import type { Effect, Stream } from "effect"
import type { AppName, FileId } from "../domain/Ids.ts"
import type { FileNotFound, FileTooLarge, InvalidRequest, Unavailable } from "../domain/Refusal.ts"

export interface StoredFile {
  readonly id: FileId
  readonly name: string
  readonly size: number
  readonly path: string
}

export class Files extends Context.Service<
  Files,
  {
    /** `name` is kept for people, sanitised; the path never comes from the client. A file over the limit leaves nothing behind. */
    readonly store: <E>(
      app: AppName,
      name: string,
      content: Stream.Stream<Uint8Array, E>
    ) => Effect.Effect<StoredFile, FileTooLarge | InvalidRequest | Unavailable | E>
    readonly find: (
      app: AppName,
      ids: ReadonlyArray<FileId>
    ) => Effect.Effect<ReadonlyArray<StoredFile>, FileNotFound | Unavailable>
    /** The prompt with the files' paths in front of it, one a line. */
    readonly withFiles: (
      app: AppName,
      prompt: string,
      ids: ReadonlyArray<FileId>
    ) => Effect.Effect<string, FileNotFound | Unavailable>
  }
>()("troupe/actor/Files") {}
