/**
 * Uploaded files: stored in the data dir under sanitised names, and given to an agent by their paths in front of a prompt.
 *
 * A file is written under `files/.incoming/` and moved to `files/<app>/<id>/<name>` when it is complete, so that every file
 * there is complete. Incomplete files of a crash are removed at the next start: a data dir has one Troupe.
 */
import { Array as Arr, Clock, Context, Effect, Exit, FileSystem, Layer, Option, Path, Stream } from "effect"
import type { PlatformError } from "effect"
import { unsafeCharacters } from "../domain/unsafeCharacters.ts"
import { FileId, newFileId } from "../domain/Ids.ts"
import type { AppName } from "../domain/Ids.ts"
import { FileNotFound, FileTooLarge, InvalidRequest, Unavailable } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"
import type { FileRecord } from "../ledger/Ledger.ts"
import * as FileCopiesLayer from "../cluster/fileCopies.ts"
import { unavailable } from "../runtime/errors.ts"
import { FileCopies } from "../runtime/FileCopies.ts"
import { RuntimeSettings } from "../runtime/RuntimeSettings.ts"
import { checkStorable } from "./checkStorable.ts"

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
    /**
     * Stores a file. `name` is sanitised and kept for people; the client never chooses the path. Of a file that is too
     * long nothing is left.
     */
    readonly store: <E>(
      app: AppName,
      name: string,
      content: Stream.Stream<Uint8Array, E>
    ) => Effect.Effect<StoredFile, FileTooLarge | InvalidRequest | Unavailable | E>
    /** Where they are on this node, or are to be: the session's owner fetches what a prompt names. */
    readonly find: (
      app: AppName,
      ids: ReadonlyArray<FileId>
    ) => Effect.Effect<ReadonlyArray<StoredFile>, FileNotFound | Unavailable>
    /** The same, and fetches those that another node has. */
    readonly findHere: (
      app: AppName,
      ids: ReadonlyArray<FileId>
    ) => Effect.Effect<ReadonlyArray<StoredFile>, FileNotFound | Unavailable>
    /** Of a file on this node's disk, its path, for a node that asks; `None`: it is not here. */
    readonly onDisk: (app: AppName, id: FileId) => Effect.Effect<Option.Option<StoredFile>, Unavailable>
    /** The prompt after the files' paths, one path per line, and an empty line. */
    readonly withFiles: (
      app: AppName,
      prompt: string,
      ids: ReadonlyArray<FileId>
    ) => Effect.Effect<string, FileNotFound | Unavailable>
    /**
     * Removes files of this node that were stored before that time, at most `limit` of them, and returns how many. For the
     * sweeper.
     */
    readonly removeBefore: (createdBefore: number, limit: number) => Effect.Effect<number, Unavailable>
    /** Removes the records of such files of other nodes, which have not done so themselves and are gone. */
    readonly forgetBefore: (createdBefore: number, limit: number) => Effect.Effect<number, Unavailable>
    /** Removes what is on this disk since before that time and has no record: another node removed that. */
    readonly removeUnknownBefore: (modifiedBefore: number) => Effect.Effect<number, Unavailable>
  }
>()("troupe/services/Files") {
  static readonly layer: Layer.Layer<Files, Unavailable, Ledger | RuntimeSettings | FileSystem.FileSystem | Path.Path> =
    Layer.effect(
      Files,
      Effect.suspend(() => make)
    ).pipe(Layer.provide(FileCopiesLayer.layer))
}

/** Looked up in the ledger with one query. */
const idsAtOnce = 500
/** File systems allow 255 bytes; this leaves some for what a tool may append. */
const maxNameBytes = 200

const make = Effect.gen(function* () {
  const copies = yield* FileCopies
  const ledger = yield* Ledger
  const { dataDir, limits, node } = yield* RuntimeSettings
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  const root = path.join(
    dataDir === ":memory:"
      ? yield* orUnavailable("make a temporary directory", fs.makeTempDirectoryScoped({ prefix: "troupe-" }))
      : path.resolve(dataDir),
    "files"
  )
  // An app's name begins with a letter or a digit: no app has this name.
  const incoming = path.join(root, ".incoming")
  const makeDirectory = (directory: string) => fs.makeDirectory(directory, { recursive: true, mode: 0o700 })
  yield* orUnavailable(
    "remove half files",
    fs.remove(incoming, { recursive: true, force: true }).pipe(Effect.andThen(makeDirectory(incoming)))
  )

  /** Returns the size in bytes. Stops reading the stream as soon as it is too long. */
  const fill = Effect.fnUntraced(function* <E>(target: string, content: Stream.Stream<Uint8Array, E>) {
    const file = yield* orUnavailable("store a file", fs.open(target, { flag: "wx", mode: 0o600 }))
    let size = 0
    yield* Stream.runForEach(content, (chunk): Effect.Effect<void, FileTooLarge | Unavailable> => {
      size += chunk.byteLength
      return size > limits.maxFileBytes
        ? Effect.fail(new FileTooLarge({ limitBytes: limits.maxFileBytes }))
        : orUnavailable("store a file", file.writeAll(chunk))
    })
    return size
  }, Effect.scoped)

  const store = Effect.fn("Files.store")(function* <E>(
    app: AppName,
    name: string,
    content: Stream.Stream<Uint8Array, E>
  ) {
    // A NUL is left out with all that can't be in a name; half of a surrogate pair says that the name is not what was meant.
    yield* checkStorable({ name: name.replaceAll("\u0000", "") })
    const safeName = sanitised(name)
    if (safeName === "") {
      return yield* new InvalidRequest({ field: "name", problem: "must have a letter, a digit or a mark in it." })
    }
    const id = newFileId()
    const upload = path.join(incoming, id)
    const directory = path.join(root, app, id)
    const createdAt = yield* Clock.currentTimeMillis
    return yield* Effect.gen(function* () {
      yield* orUnavailable(
        "store a file",
        Effect.andThen(makeDirectory(upload), makeDirectory(path.dirname(directory)))
      )
      const size = yield* fill(path.join(upload, safeName), content)
      yield* orUnavailable("store a file", fs.rename(upload, directory))
      const record: FileRecord = {
        id,
        app,
        name: safeName,
        size,
        path: path.join(directory, safeName),
        createdAt,
        node: node?.name ?? null
      }
      yield* ledger.write([{ _tag: "FileInserted", record }])
      return storedAt(record, record.path)
    }).pipe(
      Effect.onExit((exit) =>
        Exit.isSuccess(exit)
          ? Effect.void
          : Effect.forEach([upload, directory], (remains) => fs.remove(remains, { recursive: true, force: true })).pipe(
              Effect.ignore
            )
      )
    )
  }, unavailable)

  const recordOf = Effect.fnUntraced(function* (app: AppName, id: FileId) {
    const record = yield* ledger.file(app, id)
    if (Option.isNone(record)) return yield* new FileNotFound({ id })
    return record.value
  }, unavailable)

  const find = Effect.fn("Files.find")((app: AppName, ids: ReadonlyArray<FileId>) =>
    Effect.forEach(ids, (id) => Effect.map(recordOf(app, id), (record) => storedAt(record, copies.pathOf(record))))
  )

  const findHere = Effect.fn("Files.findHere")((app: AppName, ids: ReadonlyArray<FileId>) =>
    Effect.forEach(
      ids,
      Effect.fnUntraced(function* (id) {
        const record = yield* recordOf(app, id)
        const here = yield* Effect.mapError(
          copies.here(record),
          (cause) => new Unavailable({ operation: "fetch a file", cause })
        )
        return storedAt(record, here)
      })
    )
  )

  return Files.of({
    maxFileBytes: limits.maxFileBytes,
    store,
    find,
    findHere,
    onDisk: Effect.fn("Files.onDisk")(function* (app: AppName, id: FileId) {
      const record = yield* ledger.file(app, id)
      if (Option.isNone(record)) return Option.none()
      const stored = storedAt(record.value, copies.pathOf(record.value))
      const size = yield* Effect.option(fs.stat(stored.path))
      return Option.exists(size, (info) => Number(info.size) === stored.size) ? Option.some(stored) : Option.none()
    }, unavailable),
    withFiles: (app, prompt, ids) =>
      ids.length === 0 ? Effect.succeed(prompt) : Effect.map(find(app, ids), (files) => withPaths(files, prompt)),
    removeBefore: Effect.fn("Files.removeBefore")(function* (createdBefore: number, limit: number) {
      const old = yield* ledger.filesBefore(createdBefore, limit, node?.name)
      for (const { path: file } of old) {
        yield* orUnavailable("remove an old file", fs.remove(path.dirname(file), { recursive: true, force: true }))
      }
      // The records are removed last: after a crash the next sweep removes the remaining files.
      yield* ledger.removeFiles(old.map(({ id }) => id))
      return old.length
    }, unavailable),
    forgetBefore: Effect.fn("Files.forgetBefore")(function* (createdBefore: number, limit: number) {
      const old = yield* ledger.filesBefore(createdBefore, limit)
      yield* ledger.removeFiles(old.map(({ id }) => id))
      return old.length
    }, unavailable),
    removeUnknownBefore: Effect.fn("Files.removeUnknownBefore")(function* (modifiedBefore: number) {
      let removed = 0
      const apps = yield* orUnavailable("look for old files", fs.readDirectory(root))
      for (const app of apps.filter((name) => name !== path.basename(incoming))) {
        const ids = yield* Effect.orElseSucceed(fs.readDirectory(path.join(root, app)), (): Array<string> => [])
        for (const some of Arr.chunksOf(ids, idsAtOnce)) {
          const known = new Set<string>(yield* ledger.knownFiles(some.map((id) => FileId.make(id))))
          for (const id of some.filter((id) => !known.has(id))) {
            const directory = path.join(root, app, id)
            const modified = Option.flatMap(yield* Effect.option(fs.stat(directory)), ({ mtime }) => mtime)
            if (Option.isNone(modified) || modified.value.getTime() >= modifiedBefore) continue
            yield* orUnavailable("remove an old file", fs.remove(directory, { recursive: true, force: true }))
            removed++
          }
        }
      }
      return removed
    }, unavailable)
  })
})

/** The form in which an agent is told of files. */
export const withPaths = (files: ReadonlyArray<StoredFile>, prompt: string): string =>
  files.length === 0 ? prompt : `${files.map((file) => file.path).join("\n")}\n\n${prompt}`

const orUnavailable = <A, R>(operation: string, effect: Effect.Effect<A, PlatformError.PlatformError, R>) =>
  Effect.mapError(effect, (cause) => new Unavailable({ operation, cause }))

const storedAt = ({ id, name, size }: FileRecord, path: string): StoredFile => ({ id, name, size, path })

/** Unsafe characters, line ends, and code points that are no characters. Joiners stay: they are part of some scripts. */
const unwanted = new RegExp(`[${unsafeCharacters}\\t\\n\\r\\p{Zl}\\p{Zp}\\p{Cn}\\p{Co}\\p{Cs}\\ufeff]`, "gu")

/** The last segment of the client's name, without what could end a line, hide the file or leave its directory. */
const sanitised = (name: string): string => {
  const plain = name.normalize("NFC").split(/[/\\]/).at(-1)!.replace(unwanted, "").trim().replace(/^\.+/, "")
  if (Buffer.byteLength(plain) <= maxNameBytes) return plain
  // Shortened before the extension, which says to an agent what the file contains.
  const dot = plain.lastIndexOf(".")
  const extension = dot > 0 && Buffer.byteLength(plain.slice(dot)) <= 20 ? plain.slice(dot) : ""
  let stem = ""
  for (const { segment } of new Intl.Segmenter().segment(plain.slice(0, plain.length - extension.length))) {
    if (Buffer.byteLength(stem + segment) + Buffer.byteLength(extension) > maxNameBytes) break
    stem += segment
  }
  return stem + extension
}
