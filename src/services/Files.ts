/**
 * Uploaded files: kept under the data dir by names of ours, and put in front of a prompt by their paths.
 *
 * A file comes in under `files/.incoming/` and moves to `files/<app>/<id>/<name>` when it is whole, so that whatever
 * lies there is whole. What a crash left half-way is removed at the next start: a data dir has one Troupe.
 */
import { Clock, Context, Effect, Exit, FileSystem, Layer, Option, Path, Stream } from "effect"
import type { PlatformError } from "effect"
import { unsafeCharacters } from "../domain/unsafeCharacters.ts"
import { newFileId } from "../domain/Ids.ts"
import type { AppName, FileId } from "../domain/Ids.ts"
import { FileNotFound, FileTooLarge, InvalidRequest, Unavailable } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { FileRecord } from "../ledger/Ledger.ts"
import { unavailable } from "../runtime/errors.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"

export interface StoredFile {
  readonly id: FileId
  readonly name: string
  readonly size: number
  readonly path: string
}

export class Files extends Context.Service<
  Files,
  {
    /** A longer file is not stored. */
    readonly maxFileBytes: number
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
    /** The prompt with the files' paths in front of it, one a line, and an empty line between. */
    readonly withFiles: (
      app: AppName,
      prompt: string,
      ids: ReadonlyArray<FileId>
    ) => Effect.Effect<string, FileNotFound | Unavailable>
    /** Removes files stored before that time, at most `limit` of them; how many there were. For the sweeper. */
    readonly removeBefore: (createdBefore: number, limit: number) => Effect.Effect<number, Unavailable>
  }
>()("troupe/services/Files") {
  static readonly layer: Layer.Layer<Files, Unavailable, Ledger | RuntimeSettings | FileSystem.FileSystem | Path.Path> =
    Layer.effect(
      Files,
      Effect.suspend(() => make)
    )
}

/** File systems take 255 bytes; this leaves room for what a tool may append. */
const nameBytes = 200

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const { dataDir, limits } = yield* RuntimeSettings
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  const root = path.join(
    dataDir === ":memory:"
      ? yield* failing("make a temporary directory", fs.makeTempDirectoryScoped({ prefix: "troupe-" }))
      : path.resolve(dataDir),
    "files"
  )
  // An app's name begins with a letter or a digit: no app is called this.
  const incoming = path.join(root, ".incoming")
  const makeDirectory = (directory: string) => fs.makeDirectory(directory, { recursive: true, mode: 0o700 })
  yield* failing(
    "remove half files",
    fs.remove(incoming, { recursive: true, force: true }).pipe(Effect.andThen(makeDirectory(incoming)))
  )

  /** Its size in bytes; the stream is left as soon as it is too long. */
  const fill = Effect.fnUntraced(function* <E>(target: string, content: Stream.Stream<Uint8Array, E>) {
    const file = yield* failing("store a file", fs.open(target, { flag: "wx", mode: 0o600 }))
    let size = 0
    yield* Stream.runForEach(content, (chunk): Effect.Effect<void, FileTooLarge | Unavailable> => {
      size += chunk.byteLength
      return size > limits.maxFileBytes
        ? Effect.fail(new FileTooLarge({ limitBytes: limits.maxFileBytes }))
        : failing("store a file", file.writeAll(chunk))
    })
    return size
  }, Effect.scoped)

  const store = Effect.fn("Files.store")(function* <E>(
    app: AppName,
    name: string,
    content: Stream.Stream<Uint8Array, E>
  ) {
    const kept = sanitised(name)
    if (kept === "") {
      return yield* new InvalidRequest({ field: "name", problem: "must have a letter, a digit or a mark in it." })
    }
    const id = newFileId()
    const arriving = path.join(incoming, id)
    const home = path.join(root, app, id)
    const createdAt = yield* Clock.currentTimeMillis
    return yield* Effect.gen(function* () {
      yield* failing("store a file", Effect.andThen(makeDirectory(arriving), makeDirectory(path.dirname(home))))
      const size = yield* fill(path.join(arriving, kept), content)
      yield* failing("store a file", fs.rename(arriving, home))
      const record: FileRecord = { id, app, name: kept, size, path: path.join(home, kept), createdAt }
      yield* ledger.write([{ _tag: "FileInserted", record }])
      return shown(record)
    }).pipe(
      Effect.onExit((exit) =>
        Exit.isSuccess(exit)
          ? Effect.void
          : Effect.forEach([arriving, home], (directory) =>
              fs.remove(directory, { recursive: true, force: true })
            ).pipe(Effect.ignore)
      )
    )
  }, unavailable)

  const find = Effect.fn("Files.find")(function* (app: AppName, ids: ReadonlyArray<FileId>) {
    const found: Array<StoredFile> = []
    for (const id of ids) {
      const record = yield* ledger.file(app, id)
      if (Option.isNone(record)) return yield* new FileNotFound({ id })
      found.push(shown(record.value))
    }
    return found
  }, unavailable)

  return Files.of({
    maxFileBytes: limits.maxFileBytes,
    store,
    find,
    withFiles: (app, prompt, ids) =>
      ids.length === 0
        ? Effect.succeed(prompt)
        : Effect.map(find(app, ids), (files) => `${files.map((file) => file.path).join("\n")}\n\n${prompt}`),
    removeBefore: Effect.fn("Files.removeBefore")(function* (createdBefore: number, limit: number) {
      const old = yield* ledger.filesBefore(createdBefore, limit)
      for (const { path: file } of old) {
        yield* failing("remove an old file", fs.remove(path.dirname(file), { recursive: true, force: true }))
      }
      // The records go last: after a crash the files are looked for again.
      yield* ledger.removeFiles(old.map(({ id }) => id))
      return old.length
    }, unavailable)
  })
})

const failing = <A, R>(operation: string, effect: Effect.Effect<A, PlatformError.PlatformError, R>) =>
  Effect.mapError(effect, (cause) => new Unavailable({ operation, cause }))

const shown = ({ id, name, path, size }: FileRecord): StoredFile => ({ id, name, size, path })

/** Also every end of a line, and what is no character. Joiners stay: they are part of a script. */
const unwanted = new RegExp(`[${unsafeCharacters}\\t\\n\\r\\p{Zl}\\p{Zp}\\p{Cn}\\p{Co}\\p{Cs}\\ufeff]`, "gu")

/** The last segment of what the client called it, without anything that could end a line, hide it or leave its directory. */
const sanitised = (name: string): string => {
  const plain = name.normalize("NFC").split(/[/\\]/).at(-1)!.replace(unwanted, "").trim().replace(/^\.+/, "")
  if (Buffer.byteLength(plain) <= nameBytes) return plain
  // The end is cut away but for the extension, which tells an agent what is inside.
  const dot = plain.lastIndexOf(".")
  const extension = dot > 0 && Buffer.byteLength(plain.slice(dot)) <= 20 ? plain.slice(dot) : ""
  let stem = ""
  for (const { segment } of new Intl.Segmenter().segment(plain.slice(0, plain.length - extension.length))) {
    if (Buffer.byteLength(stem + segment) + Buffer.byteLength(extension) > nameBytes) break
    stem += segment
  }
  return stem + extension
}
