/**
 * Makes the nth call of one kind fail, at the edge of this process: where the program calls the system, or SQLite.
 *
 * Nothing of the program is replaced. The functions of Node that it ends up in are wrapped, for this process, and fail as
 * the system lets them fail. While nothing is armed, they do what they always do.
 */
import childProcess from "node:child_process"
import type { ChildProcess } from "node:child_process"
import fs from "node:fs"
import { ServerResponse } from "node:http"
import { syncBuiltinESMExports } from "node:module"
import { DatabaseSync } from "node:sqlite"
import type { Readable, Writable } from "node:stream"

export const kinds = [
  "ledger write",
  "ledger read",
  "spawn",
  "stdin write",
  "stdout read",
  "stderr read",
  "signal",
  "process table",
  "file operation",
  "HTTP write"
] as const
export type Kind = (typeof kinds)[number]

/**
 * `once`: the nth and no other. `lasting`: the nth and all after it, until it is disarmed. `damage`: once, as SQLite
 * reports a damaged file, which does not pass by itself. `answer lost`: once, and it took place all the same. `kill`: this
 * process is killed at the nth; in the middle of it where it writes a whole file.
 */
export type Mode = "once" | "lasting" | "damage" | "answer lost" | "kill"

interface Armed {
  readonly kind: Kind
  readonly nth: number
  readonly mode: Mode
  count: number
  /** What failed, as it was called. */
  failed: string | null
  /** Called once, with that. */
  readonly onFailed: (call: string) => void
}

let armed: Armed | null = null

export const arm = (kind: Kind, nth: number, mode: Mode, onFailed: (call: string) => void = () => {}) => {
  armed = { kind, nth, mode, count: 0, failed: null, onFailed }
}

let counts: Partial<Record<Kind, number>> = {}

/** How many calls of each kind there were since this was asked last. */
export const countsSince = () => {
  const counted = counts
  counts = {}
  return counted
}

/** How many calls of the kind there were, and which one failed; `null`: the nth was not reached. */
export const disarm = (): { readonly count: number; readonly failed: string | null } => {
  const { count = 0, failed = null } = armed ?? {}
  armed = null
  return { count, failed }
}

/** The mode in which this call is to fail; `null`: it is not. */
const failing = (kind: Kind, call: string): Mode | null => {
  counts[kind] = (counts[kind] ?? 0) + 1
  if (armed === null || armed.kind !== kind) return null
  armed.count += 1
  if (armed.mode === "lasting" ? armed.count < armed.nth : armed.count !== armed.nth) return null
  if (armed.failed === null) {
    armed.failed = call
    armed.onFailed(call)
  }
  if (armed.mode === "kill" && !/writeFile/i.test(call)) die()
  return armed.mode
}

/** Unwrapped: see below. */
const kill = process.kill.bind(process)
const die = (): never => {
  kill(process.pid, "SIGKILL")
  throw new Error("killed")
}

const systemError = (code: string, errno: number, syscall: string) =>
  Object.assign(new Error(`${code}: made to fail, ${syscall}`), { code, errno, syscall })

/** https://sqlite.org/rescode.html: FULL where it lasts, CORRUPT where the file is damaged, else IOERR. */
const sqliteError = (mode: Mode) => {
  const [errcode, errstr] =
    mode === "lasting"
      ? [13, "database or disk is full"]
      : mode === "damage"
        ? [11, "database disk image is malformed"]
        : [10, "disk I/O error"]
  return Object.assign(new Error(errstr), { code: "ERR_SQLITE_ERROR", errcode, errstr })
}

const restores: Array<() => void> = []

const replace = <T extends object, K extends keyof T>(target: T, name: K, by: (original: T[K]) => T[K]) => {
  const original = target[name]
  target[name] = by(original)
  restores.push(() => void (target[name] = original))
}

const wrapLedger = () =>
  replace(DatabaseSync.prototype, "prepare", (prepare) => {
    return function (this: DatabaseSync, text: string) {
      const statement = prepare.call(this, text)
      const kind = /^\s*(BEGIN|COMMIT|INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP)\b/i.test(text)
        ? "ledger write"
        : /^\s*(SELECT|WITH)\b/i.test(text)
          ? "ledger read"
          : null
      if (kind === null) return statement
      for (const name of ["all", "run"] as const) {
        const run = statement[name].bind(statement) as (...params: ReadonlyArray<unknown>) => unknown
        Object.defineProperty(statement, name, {
          value: (...params: ReadonlyArray<unknown>) => {
            const mode = failing(kind, text.replaceAll(/\s+/g, " ").slice(0, 80))
            if (mode !== null && mode !== "answer lost") throw sqliteError(mode)
            const rows = run(...params)
            if (mode === "answer lost") throw sqliteError(mode)
            return rows
          }
        })
      }
      return statement
    } as typeof prepare
  })

const wrapProcesses = () => {
  replace(childProcess, "spawn", (spawn) => {
    return ((file: string, ...rest: ReadonlyArray<never>) => {
      if (failing("spawn", file) !== null) throw systemError("EAGAIN", -11, `spawn ${file}`)
      const child = (spawn as unknown as (file: string, ...rest: ReadonlyArray<never>) => ChildProcess)(file, ...rest)
      if (child.stdin !== null) wrapStdin(child.stdin)
      if (child.stdout !== null) wrapOutput("stdout read", child.stdout)
      if (child.stderr !== null) wrapOutput("stderr read", child.stderr)
      return child
    }) as unknown as typeof spawn
  })
  replace(process, "kill", (kill) => {
    return (pid, signal) => {
      if (signal !== 0 && failing("signal", `kill ${signal}`) !== null) throw systemError("EPERM", -1, "kill")
      return kill.call(process, pid, signal)
    }
  })
}

const wrapStdin = (stdin: Writable) =>
  Object.defineProperty(stdin, "write", {
    value: (...args: Parameters<Writable["write"]>) => {
      if (failing("stdin write", String(args[0]).slice(0, 60)) === null) {
        return (Object.getPrototypeOf(stdin) as Writable).write.apply(stdin, args)
      }
      stdin.destroy(systemError("EPIPE", -32, "write"))
      return false
    }
  })

const wrapOutput = (kind: Kind, output: Readable) => {
  const push = output.push.bind(output)
  Object.defineProperty(output, "push", {
    value: (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null || failing(kind, String(chunk).slice(0, 60)) === null) return push(chunk, encoding)
      output.destroy(systemError("EIO", -5, "read"))
      return false
    }
  })
}

/** Of the functions that the program uses: those that give an error to a callback, those that throw, and promises. */
const fileFunctions = {
  callback: [
    "access",
    "chmod",
    "cp",
    "mkdir",
    "open",
    "readFile",
    "readlink",
    "realpath",
    "rename",
    "rm",
    "stat",
    "write",
    "writeFile"
  ],
  sync: [
    "accessSync",
    "chmodSync",
    "mkdtempSync",
    "openSync",
    "readFileSync",
    "readdirSync",
    "realpathSync",
    "rmSync",
    "statSync",
    "writeFileSync"
  ],
  promise: ["chmod", "link", "mkdir", "mkdtemp", "readFile", "readdir", "rm", "stat", "writeFile"]
} as const

let program = ""

/** Node itself reads the program by these functions; what is below this directory is left alone. */
export const spareProgram = (directory: string) => void (program = directory)

type AnyFunction = (...args: ReadonlyArray<unknown>) => unknown

const wrapFiles = () => {
  const called = (name: string, [path]: ReadonlyArray<unknown>) => `${name} ${String(path)}`
  /** A run reads thousands of files below `/proc`; that the list of processes can't be read is the same for each. */
  const kindOf = ([path]: ReadonlyArray<unknown>): Kind | null => {
    if (path === "/proc") return "process table"
    const text = path instanceof URL ? path.pathname : String(path)
    return text.startsWith("/proc/") || (program !== "" && text.startsWith(program)) ? null : "file operation"
  }
  const fails = (name: string, args: ReadonlyArray<unknown>) => {
    const kind = kindOf(args)
    if (kind === null || failing(kind, called(name, args)) === null) return false
    dieHalfway(name, args)
    return true
  }
  /** A file that is written whole is written by half before this process dies. */
  const dieHalfway = (name: string, [path, content, options]: ReadonlyArray<unknown>) => {
    if (armed?.mode !== "kill" || !/writeFile/.test(name)) return
    const text = String(content)
    writeWhole(path as string, text.slice(0, text.length / 2), options as fs.WriteFileOptions)
    die()
  }
  const writeWhole = fs.writeFileSync
  /** As where too many files are open: anything may fail so, `/proc` included. */
  const tooMany = (name: string) => systemError("EMFILE", -24, name)
  for (const name of fileFunctions.callback) {
    replace(fs as unknown as Record<string, AnyFunction>, name, (original) =>
      Object.assign((...args: ReadonlyArray<unknown>) => {
        const callback = args.at(-1)
        if (typeof callback !== "function" || !fails(name, args)) {
          return original?.(...args)
        }
        setImmediate(() => callback(tooMany(name)))
      }, original)
    )
  }
  for (const name of fileFunctions.sync) {
    replace(fs as unknown as Record<string, AnyFunction>, name, (original) =>
      Object.assign((...args: ReadonlyArray<unknown>) => {
        if (fails(name, args)) throw tooMany(name)
        return original?.(...args)
      }, original)
    )
  }
  for (const name of fileFunctions.promise) {
    replace(fs.promises as unknown as Record<string, AnyFunction>, name, (original) =>
      Object.assign(async (...args: ReadonlyArray<unknown>) => {
        if (fails(`promises.${name}`, args)) throw tooMany(name)
        return original?.(...args)
      }, original)
    )
  }
}

/** The client is gone: nothing more reaches it on this connection. */
const wrapHttp = () => {
  for (const name of ["writeHead", "write", "end"] as const) {
    replace(ServerResponse.prototype, name, (original) => {
      return function (this: ServerResponse, ...args: Array<never>) {
        if (failing("HTTP write", name) !== null) this.socket?.destroy(systemError("ECONNRESET", -104, "write"))
        return (original as AnyFunction).apply(this, args)
      } as never
    })
  }
}

// At the import, which has to be the first: some modules keep the system's functions that they find at their own.
wrapLedger()
wrapProcesses()
wrapFiles()
wrapHttp()
syncBuiltinESMExports()

/** For the tests that come after these in the same process. */
export const uninstall = () => {
  disarm()
  for (const restore of restores.splice(0).toReversed()) restore()
  syncBuiltinESMExports()
}
