/**
 * Where an agent keeps its own conversations: a file for each, of whole lines to which it only adds, below its home.
 *
 * A file can be read from there, and one of another machine can be put there before the agent is asked to resume it.
 * What a path names is checked each time: nothing is read or written outside of the home.
 */
import { Effect } from "effect"
import { createHash, randomBytes } from "node:crypto"
import type { Hash } from "node:crypto"
import { link, lstat, mkdir, open, readFile, realpath, rename, rm } from "node:fs/promises"
import { dirname, join, sep } from "node:path"
import { setImmediate } from "node:timers/promises"
import { makeDirectory } from "./makeDirectory.ts"

export interface ConversationFiles {
  /** Absolute. */
  readonly home: string
  /** The conversation's file, below the home; `null`: there is none. */
  readonly find: (thread: string) => Promise<string | null>
  /** Whether the agent would keep the conversation in this file, below its home. */
  readonly isPathOf: (path: string, thread: string) => boolean
  /** How long after a turn's end the agent may still add to it; 0: all is there when the end is reported. */
  readonly lateMillis: number
}

/** What is known of a file, or of its beginning. */
export interface Extent {
  readonly bytes: number
  /** SHA-256, in hex. */
  readonly hash: string
}

/** `data` is the file from `from` on, up to its last whole line. Where `from` is not 0, the part before is the known one. */
export interface ConversationRead extends Extent {
  readonly _tag: "Read"
  readonly from: number
  readonly data: Buffer
}

export type Unread = { readonly _tag: "Missing" } | { readonly _tag: "TooLarge" }

/**
 * `Placed`: there was none. `Replaced`: there was an older state of it. `Kept`: what was there has all of it. `SetAside`:
 * what was there went another way, and has another name now, which its agent does not read.
 */
export type Placing = "Placed" | "Replaced" | "Kept" | "SetAside"

/** A file that can't be read or put in its place. `reason` quotes nothing of it. */
export class ConversationFailed extends Error {
  override readonly name = "ConversationFailed"
}

export const hashOf = (data: Buffer): string => createHash("sha256").update(data).digest("hex")

/** In slices, between which others have their turn: it may be long. */
const add = async (hash: Hash, data: Buffer) => {
  for (let at = 0; at < data.length; at += sliceBytes) {
    hash.update(data.subarray(at, at + sliceBytes))
    await setImmediate()
  }
}
const sliceBytes = 1024 * 1024

const newline = 0x0a

const wholeLines = (data: Buffer): Buffer => data.subarray(0, data.lastIndexOf(newline) + 1)

const startsWith = (data: Buffer, beginning: Buffer): boolean =>
  data.length >= beginning.length && data.subarray(0, beginning.length).equals(beginning)

const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? ""

/** Errors of the file system name a path and no content. */
const attempt = <A>(what: string, run: () => Promise<A>): Effect.Effect<A, ConversationFailed> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) =>
      cause instanceof ConversationFailed
        ? cause
        : new ConversationFailed(
            `${what} failed (${cause instanceof Error ? codeOf(cause) || cause.message : "unknown"})`
          )
  })

/** The real directory, which is the home or below it; fails where a link leads out of it. */
const within = async (home: string, directory: string): Promise<string> => {
  const [root, real] = await Promise.all([realpath(home), realpath(directory)])
  if (real !== root && !real.startsWith(root + sep)) {
    throw new ConversationFailed("its directory is outside of the agent's home")
  }
  return real
}

/** Makes the directories to the file, each where no link leads out of the home. */
const makeWithin = async (home: string, path: string): Promise<string> => {
  makeDirectory(home)
  let directory = await realpath(home)
  for (const name of path.split("/").slice(0, -1)) {
    directory = join(directory, name)
    await mkdir(directory, { mode: 0o700 }).catch((cause: unknown) => {
      if (codeOf(cause) !== "EEXIST") throw cause
    })
    directory = await within(home, directory)
  }
  return directory
}

/** `null`: it is not there. */
const contentOf = async (home: string, path: string): Promise<Buffer | null> => {
  try {
    const file = join(home, path)
    await within(home, dirname(file))
    if (!(await lstat(file)).isFile()) throw new ConversationFailed("it is no file")
    return await readFile(file)
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return null
    throw cause
  }
}

/**
 * What the file has beyond what is known of it. `known` is the beginning, as it was read before: where the file does not
 * begin with it, all of it is read.
 */
export const read = (
  { home }: ConversationFiles,
  path: string,
  known: Extent | null,
  maxBytes: number
): Effect.Effect<ConversationRead | Unread, ConversationFailed> =>
  attempt("reading it", async () => {
    const { size } = await lstat(join(home, path)).catch(() => ({ size: 0 }))
    if (size > maxBytes) return { _tag: "TooLarge" }
    const content = await contentOf(home, path)
    if (content === null) return { _tag: "Missing" }
    const lines = wholeLines(content)
    if (lines.length > maxBytes) return { _tag: "TooLarge" }
    const hash = createHash("sha256")
    let from = 0
    if (known !== null && lines.length >= known.bytes) {
      await add(hash, lines.subarray(0, known.bytes))
      if (hash.copy().digest("hex") === known.hash) from = known.bytes
      await add(hash, lines.subarray(known.bytes))
    } else await add(hash, lines)
    return { _tag: "Read", bytes: lines.length, hash: hash.digest("hex"), from, data: lines.subarray(from) }
  })

/**
 * Puts the conversation where the agent looks for it: whole or not at all. What is there and has lines of its own is never
 * written over.
 */
export const place = (
  files: ConversationFiles,
  thread: string,
  { content, path }: { readonly path: string; readonly content: Buffer }
): Effect.Effect<Placing, ConversationFailed> =>
  attempt("putting it in its place", async () => {
    const { home } = files
    if (!files.isPathOf(path, thread)) throw new ConversationFailed("its path is none of this agent's")
    const there = (await files.find(thread)) ?? path
    const directory = await makeWithin(home, there)
    const local = await contentOf(home, there)
    if (local !== null && startsWith(local, content)) return "Kept"
    const file = join(home, there)
    const draft = join(directory, `.troupe-${randomBytes(8).toString("hex")}`)
    try {
      await writeSafely(draft, content)
      if (local === null) {
        // Fails where one has come meanwhile.
        await link(draft, file)
        return "Placed"
      }
      // Its last line may have been cut by the death of its writer.
      if (startsWith(content, wholeLines(local))) {
        await rename(draft, file)
        return "Replaced"
      }
      await rename(file, `${file}.troupe-${Date.now()}`)
      await rename(draft, file)
      return "SetAside"
    } finally {
      await rm(draft, { force: true })
    }
  })

const writeSafely = async (path: string, content: Buffer) => {
  const file = await open(path, "wx", 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}
