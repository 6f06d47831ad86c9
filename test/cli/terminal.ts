/** Runs the real program in a real terminal (Python's pty), and keeps the screen that a person would see. */
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import process from "node:process"
import { main } from "../builtProgram.ts"

const root = join(import.meta.dirname, "..", "..")
const bridge = join(root, "test", "fixtures", "terminal.py")

export const hasPython = spawnSync("python3", ["-c", "import pty"]).status === 0

/** Long enough for a machine that is busy with other tests. */
const showsWithinMillis = 30_000

export interface Size {
  readonly columns: number
  readonly rows: number
}

export interface Exit {
  readonly code: number
  /** Whether the terminal's settings are what they were before. */
  readonly restored: boolean
}

export type Terminal = ReturnType<typeof openTerminal>

export const openTerminal = (
  args: ReadonlyArray<string>,
  { columns, cwd, env, rows }: Size & { readonly cwd: string; readonly env: Readonly<Record<string, string>> }
) => {
  const command = [process.execPath, main, ...args]
  const child = spawn("python3", [bridge, String(columns), String(rows), ...command], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: cwd, TERM: "xterm-256color", ...env }
  })
  const screen = makeScreen()
  const listeners = new Set<() => void>()
  let errors = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (errors += text))
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen.write(text)
    for (const listener of listeners) listener()
  })
  const ended = once(child, "close").then((): Exit => {
    const last = errors.trim().split("\n").at(-1) ?? ""
    return JSON.parse(last) as Exit
  })
  const send = (request: object) => void child.stdin.write(`${JSON.stringify(request)}\n`)
  return {
    picture: screen,
    ended,
    keys: (keys: string) => send({ keys }),
    signal: (signal: number) => send({ signal }),
    resize: (size: Size) => send({ size: [size.columns, size.rows] }),
    /** Resolves with the whole screen once it matches. */
    shows: (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        const done = () => {
          clearTimeout(deadline)
          listeners.delete(look)
        }
        const fail = (how: string) => {
          done()
          reject(new Error(`It ${how} ${pattern}:\n${screen.text()}\n${errors}`))
        }
        const look = () => {
          const text = screen.text()
          if (!pattern.test(text)) return
          done()
          resolve(text)
        }
        const deadline = setTimeout(fail, showsWithinMillis, "does not show")
        listeners.add(look)
        look()
        void ended.then(() => fail("ended before it showed"))
      }),
    /** Ends the program. */
    leave: async () => {
      child.stdin.end()
      await ended.catch(() => {})
    }
  }
}

/** The parts of a terminal that `troupe top` uses: a cursor row, clearing lines and screens, and modes. */
const makeScreen = () => {
  let lines: Array<string> = []
  let row = 0
  let rest = ""
  /** Everything that was written. */
  let written = ""
  const modes = new Map<string, boolean>()
  // oxlint-disable-next-line no-control-regex -- those are what a terminal reads
  const token = /\u001b\[(\??)([\d;]*)([A-Za-z])|([^\u001b]+)/y

  const take = ([, isPrivate, numbers = "", command, text]: RegExpExecArray) => {
    if (text !== undefined) lines[row] = (lines[row] ?? "") + text
    else if (isPrivate === "?") modes.set(numbers, command === "h")
    else if (command === "H") {
      row = Number(numbers.split(";")[0] || 1) - 1
      lines[row] = ""
    } else if (command === "J") lines = []
  }
  return {
    write: (piece: string) => {
      written += piece
      rest += piece
      token.lastIndex = 0
      let at = 0
      for (let match = token.exec(rest); match !== null; match = token.exec(rest)) {
        take(match)
        at = token.lastIndex
      }
      rest = rest.slice(at)
    },
    text: () => Array.from(lines, (line) => (line ?? "").trimEnd()).join("\n"),
    lines: () => lines.length,
    written: () => written,
    /** `1049` is the alternate screen, `25` the cursor, `7` the wrapping of lines. */
    mode: (name: string) => modes.get(name)
  }
}
