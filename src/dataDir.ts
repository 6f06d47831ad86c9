/**
 * The data dir, in which a Troupe stores everything: the ledger, uploaded files, work directories, its admin token.
 *
 * Only its owner can read it. `:memory:` stands for a temporary directory that is removed with the process.
 */
import { Effect, Redacted, Schema } from "effect"
import { randomBytes, randomUUID } from "node:crypto"
import { chmod, link, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { makeDirectory } from "./agent/makeDirectory.ts"
import { newAdminToken } from "./domain/Ids.ts"
import * as Temporary from "./temporary.ts"

export class DataDirUnusable extends Schema.TaggedError<DataDirUnusable>()("DataDirUnusable", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `The data dir ${this.path} ${this.problem}`
  }
}

export interface DataDir {
  readonly path: string
  /** The ledger's file; `:memory:` where nothing is to outlive the process. */
  readonly ledger: string
}

/** Makes the directory where it is missing, readable by its owner only. A temporary one is removed with the scope. */
export const open = Effect.fn("DataDir.open")(function* (dataDir: string) {
  if (dataDir === ":memory:") {
    const { path } = yield* Effect.acquireRelease(
      attempt(tmpdir(), async () => Temporary.make(tmpdir())),
      ({ remove }) => Effect.sync(remove)
    )
    return { path, ledger: ":memory:" }
  }
  yield* attempt(dataDir, async () => {
    const isNew = makeDirectory(dataDir)
    // Of a directory that was there and has another name, not all need be Troupe's.
    if (isNew || basename(dataDir) === ".troupe") await hideFromGit(dataDir)
    // It may have existed with another mode, or the umask is unusual. What others could read before can't be undone.
    if (((await stat(dataDir)).mode & 0o077) !== 0) await chmod(dataDir, 0o700).catch(unlessUnsupported)
  })
  return { path: dataDir, ledger: ledgerFile(dataDir) }
})

/** Conversations and tokens are to be in no commit. Whoever wants them there has a file of their own, which stays. */
const hideFromGit = (dataDir: string) =>
  writeFile(join(dataDir, ".gitignore"), "*\n", { flag: "wx", mode: 0o600 }).catch((cause: unknown) => {
    if (codeOf(cause) !== "EEXIST") throw cause
  })

/** Whether or not it exists yet. */
export const ledgerFile = (dataDir: string): string =>
  dataDir === ":memory:" ? dataDir : join(dataDir, "troupe.sqlite")

export const adminTokenFile = "admin-token"
/** Of the app that the first start makes, where it prints no token. */
export const appTokenFile = "app-token"

/** The admin token of this data dir, made at the first call. */
export const adminToken = Effect.fn("DataDir.adminToken")(function* ({ ledger, path }: DataDir) {
  const fresh = newAdminToken()
  if (ledger === ":memory:") return fresh
  const file = join(path, adminTokenFile)
  const read = () => readFile(file, "utf8")
  const text = yield* attempt(path, () =>
    read().catch(async (cause: unknown) => {
      if (codeOf(cause) !== "ENOENT") throw cause
      await writeOnce(file, `${Redacted.value(fresh)}\n`)
      return read()
    })
  )
  const token = text.trim()
  if (token.length < 16) {
    return yield* new DataDirUnusable({
      path,
      problem: `has an admin-token file that holds no token. Remove it, and the next start makes a new one.`
    })
  }
  return Redacted.make(token)
})

/** The data dir by a name that no other one has, made at the first call: whoever holds its lock is the only one there. */
export const place = Effect.fn("DataDir.place")(function* ({ ledger, path }: DataDir) {
  const fresh = randomUUID()
  if (ledger === ":memory:") return fresh
  const file = join(path, "place")
  return yield* attempt(path, async () => {
    await writeOnce(file, `${fresh}\n`)
    return (await readFile(file, "utf8")).trim()
  })
})

/** Keeps a secret in a file of the data dir, readable by its owner only; the file's path. */
export const keepSecret = Effect.fn("DataDir.keepSecret")(function* (
  { path }: DataDir,
  name: string,
  secret: Redacted.Redacted<string>
) {
  const file = join(path, name)
  yield* attempt(path, () => writeFile(file, `${Redacted.value(secret)}\n`, { mode: 0o600 }))
  return file
})

const attempt = <A>(path: string, act: () => Promise<A>) =>
  Effect.tryPromise({
    try: act,
    catch: (cause) => {
      const remedy = isFull(cause) ? "Make room on its disk, or name another" : "Name another"
      const problem = `can't be used: ${cause instanceof Error ? cause.message : String(cause)}. ${remedy} with --data-dir.`
      return new DataDirUnusable({ path, problem })
    }
  })

const codeOf = (cause: unknown) => (cause as NodeJS.ErrnoException).code ?? ""

const isFull = (cause: unknown) => ["ENOSPC", "EDQUOT"].includes(codeOf(cause))

/** File systems without hard links or modes: exFAT, SMB, some of FUSE and of container hosts. */
const unsupported: ReadonlySet<string> = new Set([
  "EPERM",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
  "EIO",
  "EMLINK",
  "EACCES"
])

const unlessUnsupported = (cause: unknown): void => {
  if (!unsupported.has(codeOf(cause))) throw cause
}

/** Whole or not at all, and the first one wins: two that start at once must end up with the same token. */
const writeOnce = async (file: string, content: string) => {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`
  try {
    await writeFile(draft, content, { flag: "wx", mode: 0o600 })
    await link(draft, file).catch((cause: unknown) => {
      unlessUnsupported(cause)
      return writeFile(file, content, { flag: "wx", mode: 0o600 })
    })
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") throw cause
  } finally {
    await rm(draft, { force: true })
  }
}
