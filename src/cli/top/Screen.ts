/**
 * The terminal while `troupe top` runs: the alternate screen without a cursor, single keys, and its current size.
 *
 * Only lines that changed are written, at most ten times a second. The terminal is restored however the program ends.
 */
import { createInterface, emitKeypressEvents } from "node:readline"
import type { Key as Pressed } from "node:readline"
import { encode } from "./cells.ts"
import type { Line } from "./cells.ts"

export interface Key {
  /** Such as `a`, `return`, `pageup`, `escape`; `?` and the like by themselves. */
  readonly name: string
  readonly ctrl: boolean
  /** The typed character, where it is text. */
  readonly text: string
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

export interface ScreenHandlers {
  readonly frame: (size: Size) => ReadonlyArray<Line>
  readonly onKey: (key: Key, size: Size) => void
  /** stdin has ended: the terminal is closed. */
  readonly onGone: () => void
  readonly onFault: (cause: unknown) => void
}

export interface Screen {
  /** Schedules a frame. */
  readonly changed: () => void
  readonly close: () => void
}

const frameMillis = 100
/** After this an Esc is the key, and not the beginning of an arrow key's sequence. */
const escapeMillis = 50

const csi = "\u001b["
// Terminals differ in the width of characters: without wrapping, a line that is too long can't run into the next.
const enterScreen = `${csi}?1049h${csi}?25l${csi}?7l${csi}2J`
const leaveScreen = `${csi}?7h${csi}?25h${csi}?1049l`
/** Synchronized output: terminals that support it show a frame when it is complete, others ignore it. */
const [begin, end] = [`${csi}?2026h`, `${csi}?2026l`]

export const open = ({ frame, onFault, onGone, onKey }: ScreenHandlers): Screen => {
  const { stdin, stdout } = process
  const colours = stdout.hasColors() && (process.env["NO_COLOR"] ?? "") === ""
  let drawn: Array<string> = []
  let lastAt = 0
  let waiting: ReturnType<typeof setTimeout> | undefined
  let isOpen = false

  const sizeNow = (): Size => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 })
  const guarded =
    <A extends ReadonlyArray<unknown>>(handle: (...args: A) => void) =>
    (...args: A): void => {
      try {
        handle(...args)
      } catch (cause) {
        onFault(cause)
      }
    }

  const draw = guarded(() => {
    waiting = undefined
    if (!isOpen) return
    // A slow connection gets fewer frames, and never an outdated one.
    if (stdout.writableNeedDrain) return changed()
    lastAt = performance.now()
    const lines = frame(sizeNow()).map((line) => encode(line, colours))
    const moves = lines.flatMap((line, n) => (line === drawn[n] ? [] : [`${csi}${n + 1};1H${csi}0m${csi}2K${line}`]))
    drawn = lines
    if (moves.length > 0) stdout.write(`${begin}${moves.join("")}${end}`)
  })
  const changed = () => {
    waiting ??= setTimeout(draw, Math.max(0, lastAt + frameMillis - performance.now()))
  }

  const takeOver = () => {
    if (isOpen) return
    isOpen = true
    drawn = []
    stdin.setRawMode(true)
    stdout.write(enterScreen)
    changed()
  }
  const giveBack = () => {
    if (!isOpen) return
    isOpen = false
    stdout.write(leaveScreen)
    stdin.setRawMode(false)
  }

  const onResize = () => {
    drawn = []
    stdout.write(`${csi}2J`)
    changed()
  }
  const onPress = guarded((text: string | undefined, { ctrl, meta, name, sequence }: Pressed) => {
    if (ctrl === true && name === "z") {
      giveBack()
      process.kill(process.pid, "SIGTSTP")
      return
    }
    const typed = text !== undefined && ctrl !== true && meta !== true && /^\P{C}+$/u.test(text) ? text : ""
    onKey({ name: name ?? (typed === "" ? (sequence ?? "") : typed), ctrl: ctrl === true, text: typed }, sizeNow())
  })

  const reader = createInterface({ input: stdin, terminal: false, escapeCodeTimeout: escapeMillis })
  emitKeypressEvents(stdin, reader)
  stdin.on("keypress", onPress).on("end", onGone).on("error", onGone)
  stdout.on("resize", onResize)
  // Node reports an uncaught exception on the restored screen.
  process.on("SIGCONT", takeOver).on("exit", giveBack).on("uncaughtExceptionMonitor", giveBack)
  takeOver()
  return {
    changed,
    close: () => {
      clearTimeout(waiting)
      giveBack()
      stdin.off("keypress", onPress).off("end", onGone).off("error", onGone)
      stdout.off("resize", onResize)
      process.off("SIGCONT", takeOver).off("exit", giveBack).off("uncaughtExceptionMonitor", giveBack)
      reader.close()
      stdin.pause()
    }
  }
}
