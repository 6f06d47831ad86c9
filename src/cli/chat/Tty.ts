/**
 * A console on a terminal: a prompt with line editing and history by Node's readline, single keys where one is expected,
 * and output above the line that is being typed.
 *
 * Keys go to readline only while its prompt is shown. While a turn runs there is no prompt, so that output can flow; the
 * first key that is typed opens one for the next line.
 */
import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline"
import { PassThrough, Writable } from "node:stream"
import { paint } from "../terminal.ts"
import type { Console, OnInput, Expected } from "./Console.ts"

const laterPrompt = () => paint("dim", "next › ")
const ctrlC = "\u0003"
const ctrlD = "\u0004"

export const make = (onInput: OnInput): Console => {
  const { stdin, stdout } = process
  let expected: Expected = { _tag: "Turn" }
  let display: "prompt" | "later" | "key" | null = null
  let atLineStart = true
  /** A prompt was shown in the middle of a line of output, which may still be ended by its writer. */
  let isCut = false
  /** The last line of the output above a prompt, which may still be continued. */
  let partialLine = ""

  // readline sets and restores raw mode, also when the program is suspended with Ctrl-Z.
  const keyboard = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => void stdin.setRawMode(raw)
  })
  const isEditing = () => display === "prompt" || display === "later"
  /** readline's output, which is written only while its prompt is shown. */
  const editorOutput = Object.assign(
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (isEditing()) stdout.write(chunk)
        done()
      }
    }),
    { isTTY: true }
  )
  Object.defineProperty(editorOutput, "columns", { get: () => stdout.columns })
  const editor = createInterface({
    input: keyboard,
    output: editorOutput as unknown as NodeJS.WritableStream,
    terminal: true,
    historySize: 200,
    removeHistoryDuplicates: true
  })

  const put = (text: string) => {
    if (text === "") return
    stdout.write(text)
    atLineStart = text.endsWith("\n")
  }
  const beginLine = () => {
    isCut ||= !atLineStart
    put(atLineStart ? "" : "\n")
  }

  const draw = (prompt: string) => {
    // readline erases the rows that it drew before, but the prompt is on a new row now.
    Object.assign(editor, { prevRows: 0 })
    editor.setPrompt(prompt)
    editor.prompt(true)
  }
  const edit = (as: "prompt" | "later", prompt: string) => {
    beginLine()
    display = as
    draw(prompt)
  }
  /** No prompt is shown below the output any more. */
  const hide = () => {
    display = null
    atLineStart = true
    put(partialLine)
    partialLine = ""
  }
  const erase = () => {
    if (display !== "key") moveCursor(stdout, 0, -editor.getCursorPos().rows)
    cursorTo(stdout, 0)
    clearScreenDown(stdout)
  }
  /** Removes the line that is being typed from the screen while `write` runs. */
  const above = (write: () => void) => {
    erase()
    write()
    if (display === "key") stdout.write(expected._tag === "Key" ? expected.prompt : "")
    else draw(editor.getPrompt())
  }

  /** Shows the prompt for the expected input, unless a line is being typed. */
  const show = () => {
    if (expected._tag === "Line" && isEditing()) {
      const prompt = expected.prompt
      display = "prompt"
      return above(() => editor.setPrompt(prompt))
    }
    // Several lines may arrive at once: an empty prompt is replaced.
    if (isEditing() && editor.line === "" && (display === "prompt" || expected._tag === "Key")) {
      erase()
      hide()
    }
    if (display !== null) return
    if (expected._tag === "Line") edit("prompt", expected.prompt)
    if (expected._tag === "Key") {
      beginLine()
      display = "key"
      stdout.write(expected.prompt)
    }
  }

  editor.on("line", (text) => {
    const echoed = isEditing()
    hide()
    // The reader of the line says what is expected next.
    if (text.trim() !== "") onInput({ _tag: "Line", text, echoed })
    if (text.trim() === "" || expected._tag === "Key") show()
  })
  editor.on("SIGINT", () => {
    if (editor.line === "" && display !== null) {
      put("\n")
      hide()
      return onInput({ _tag: "Interrupt" })
    }
    // As in a shell: Ctrl-C clears the line.
    editor.write(null, { ctrl: true, name: "e" })
    editor.write(null, { ctrl: true, name: "u" })
  })
  let closed = false
  editor.on("close", () => {
    if (closed) return
    stdout.write("\n")
    hide()
    onInput({ _tag: "End" })
  })

  /** Handles keys while no line is being typed. */
  const press = (keys: string) => {
    if (display === "key" && [...keys].length === 1 && keys >= " ") return onInput({ _tag: "Key", key: keys })
    for (const [nth, key] of [...keys].entries()) {
      if (key === ctrlC) onInput({ _tag: "Interrupt" })
      else if (key === ctrlD) onInput({ _tag: "End" })
      else if (key === "\u001b") return
      else if (key >= " " && key !== "\u007f" && display === null) {
        edit("later", laterPrompt())
        keyboard.write([...keys].slice(nth).join(""))
        return
      }
    }
  }
  const onData = (keys: string) => {
    if (isEditing()) keyboard.write(keys)
    else press(keys)
  }
  const onGone = () => onInput({ _tag: "End" })
  const onResize = () => {
    if (isEditing()) editorOutput.emit("resize")
  }
  stdin.setEncoding("utf8").on("data", onData).on("end", onGone).on("error", onGone)
  stdout.on("resize", onResize)

  return {
    interactive: true,
    write: (output) => {
      const text = isCut && output.startsWith("\n") ? output.slice(1) : output
      isCut &&= output === ""
      if (display === null) return put(text)
      partialLine += text
      const end = partialLine.lastIndexOf("\n") + 1
      if (end === 0) return
      above(() => void stdout.write(partialLine.slice(0, end)))
      partialLine = partialLine.slice(end)
    },
    expect: (input) => {
      expected = input
      show()
    },
    answered: (text) => {
      if (display !== "key") return
      stdout.write(`${text}\n`)
      hide()
    },
    used: () => {},
    close: () => {
      closed = true
      if (display !== null) stdout.write("\n")
      display = null
      editor.close()
      stdin.off("data", onData).off("end", onGone).off("error", onGone).pause()
      stdout.off("resize", onResize)
    }
  }
}
