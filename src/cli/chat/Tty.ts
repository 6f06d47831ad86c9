/**
 * A console on a terminal: a prompt with line editing and history by Node's readline, single keys where one is expected,
 * and output above the line that is being typed.
 *
 * Keys go to readline only while its prompt is shown. While a turn runs there is no prompt, so that output can flow; the
 * first key that is typed opens one for the next line.
 */
import type { Console, OnInput } from "./Console.ts"
import { makeDisplay } from "./TtyDisplay.ts"

const ctrlC = "\u0003"
const ctrlD = "\u0004"

export const make = (onInput: OnInput): Console => {
  const { stdin, stdout } = process
  const display = makeDisplay()
  const { editor } = display
  let closed = false

  editor.readline.on("line", (text) => {
    const echoed = display.isEditing()
    const isAnswer = display.prompted() === "answer"
    display.hide()
    // The reader of the line says what is expected next.
    if (isAnswer) return onInput({ _tag: "Line", text, echoed, isAnswer })
    if (text.trim() !== "") onInput({ _tag: "Line", text, echoed })
    if (text.trim() === "" || display.expected()._tag === "Key") display.show()
  })
  // Answers are no turns to repeat, and may be secret.
  editor.readline.on("history", (history) => {
    if (display.prompted() === "answer") history.shift()
  })
  editor.readline.on("SIGINT", () => {
    if (editor.readline.line !== "" || display.prompted() === null) return editor.clearLine()
    display.endRow("")
    onInput({ _tag: "Interrupt" })
  })
  editor.readline.on("close", () => {
    if (closed) return
    display.endRow("")
    onInput({ _tag: "End" })
  })

  /** Handles keys while no line is being typed. */
  const press = (keys: string) => {
    if (display.prompted() === "key" && [...keys].length === 1 && keys >= " ") {
      return onInput({ _tag: "Key", key: keys })
    }
    for (const [nth, key] of [...keys].entries()) {
      if (key === ctrlC) onInput({ _tag: "Interrupt" })
      else if (key === ctrlD) onInput({ _tag: "End" })
      else if (key === "\u001b") return
      else if (key >= " " && key !== "\u007f" && display.prompted() === null) {
        return display.editLater([...keys].slice(nth).join(""))
      }
    }
  }
  const onData = (keys: string) => {
    if (display.isEditing()) editor.type(keys)
    else press(keys)
  }
  const onGone = () => onInput({ _tag: "End" })
  const onResize = () => {
    if (display.isEditing()) editor.resized()
  }
  stdin.setEncoding("utf8").on("data", onData).on("end", onGone).on("error", onGone)
  stdout.on("resize", onResize)

  return {
    interactive: true,
    write: display.write,
    expect: display.expect,
    answered: (text) => {
      if (display.prompted() === "key") display.endRow(text)
    },
    used: () => {},
    close: () => {
      closed = true
      display.close()
      stdin.off("data", onData).off("end", onGone).off("error", onGone).pause()
      stdout.off("resize", onResize)
    }
  }
}
