/**
 * A console on a terminal: a prompt with line editing and history by Node's readline, single keys where one is asked
 * for, and what is told in the meantime above whatever is being written.
 *
 * The keyboard goes to readline only while its prompt is shown. While a turn runs there is none, so that words can flow;
 * whoever begins to type gets one for what they have to say next.
 */
import { clearScreenDown, createInterface, cursorTo, moveCursor } from "node:readline"
import { PassThrough, Writable } from "node:stream"
import { paint } from "../terminal.ts"
import type { Console, Hear, Listening } from "./Console.ts"

const laterPrompt = () => paint("dim", "next › ")
const ctrlC = "\u0003"
const ctrlD = "\u0004"

export const make = (hear: Hear): Console => {
  const { stdin, stdout } = process
  let wanted: Listening = { _tag: "Turn" }
  let shown: "prompt" | "later" | "key" | null = null
  let atLineStart = true
  /** A prompt came in the middle of a line: whoever wrote that may still want to end it. */
  let isCut = false
  /** The last line of what was told above a prompt: it may go on. */
  let held = ""

  // Raw mode is readline's to set and to give back, also when the program is put to sleep with Ctrl-Z.
  const keyboard = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => void stdin.setRawMode(raw)
  })
  const isEditing = () => shown === "prompt" || shown === "later"
  /** Of readline's output, what it draws while its prompt is shown. */
  const drawn = Object.assign(
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (isEditing()) stdout.write(chunk)
        done()
      }
    }),
    { isTTY: true }
  )
  Object.defineProperty(drawn, "columns", { get: () => stdout.columns })
  const editor = createInterface({
    input: keyboard,
    output: drawn as unknown as NodeJS.WritableStream,
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
    // It draws over the rows that it believes to stand on, and it stands on a new one.
    Object.assign(editor, { prevRows: 0 })
    editor.setPrompt(prompt)
    editor.prompt(true)
  }
  const edit = (as: "prompt" | "later", prompt: string) => {
    beginLine()
    shown = as
    draw(prompt)
  }
  /** Nothing is shown any more below what is told. */
  const hide = () => {
    shown = null
    atLineStart = true
    put(held)
    held = ""
  }
  const erase = () => {
    if (shown !== "key") moveCursor(stdout, 0, -editor.getCursorPos().rows)
    cursorTo(stdout, 0)
    clearScreenDown(stdout)
  }
  /** Takes what is being written off the screen for as long as `meanwhile` takes. */
  const above = (meanwhile: () => void) => {
    erase()
    meanwhile()
    if (shown === "key") stdout.write(wanted._tag === "Key" ? wanted.prompt : "")
    else draw(editor.getPrompt())
  }

  /** Shows what is wanted, unless a line is being written: that is let finish. */
  const show = () => {
    if (wanted._tag === "Line" && isEditing()) {
      const prompt = wanted.prompt
      shown = "prompt"
      return above(() => editor.setPrompt(prompt))
    }
    // Several lines may come at once: the prompt for one more is in nobody's hands then.
    if (isEditing() && editor.line === "" && (shown === "prompt" || wanted._tag === "Key")) {
      erase()
      hide()
    }
    if (shown !== null) return
    if (wanted._tag === "Line") edit("prompt", wanted.prompt)
    if (wanted._tag === "Key") {
      beginLine()
      shown = "key"
      stdout.write(wanted.prompt)
    }
  }

  editor.on("line", (text) => {
    const seen = isEditing()
    hide()
    // What is wanted after a line is for whoever hears it to say.
    if (text.trim() !== "") hear({ _tag: "Line", text, seen })
    if (text.trim() === "" || wanted._tag === "Key") show()
  })
  editor.on("SIGINT", () => {
    if (editor.line === "" && shown !== null) {
      put("\n")
      hide()
      return hear({ _tag: "Interrupt" })
    }
    // As a shell does: the line is given up, and nothing else.
    editor.write(null, { ctrl: true, name: "e" })
    editor.write(null, { ctrl: true, name: "u" })
  })
  let closed = false
  editor.on("close", () => {
    if (closed) return
    stdout.write("\n")
    hide()
    hear({ _tag: "End" })
  })

  /** Keys while no line is being written. */
  const press = (keys: string) => {
    if (shown === "key" && [...keys].length === 1 && keys >= " ") return hear({ _tag: "Key", key: keys })
    for (const [nth, key] of [...keys].entries()) {
      if (key === ctrlC) hear({ _tag: "Interrupt" })
      else if (key === ctrlD) hear({ _tag: "End" })
      else if (key === "\u001b") return
      else if (key >= " " && key !== "\u007f" && shown === null) {
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
  const onGone = () => hear({ _tag: "End" })
  const onResize = () => {
    if (isEditing()) drawn.emit("resize")
  }
  stdin.setEncoding("utf8").on("data", onData).on("end", onGone).on("error", onGone)
  stdout.on("resize", onResize)

  return {
    interactive: true,
    write: (told) => {
      const text = isCut && told.startsWith("\n") ? told.slice(1) : told
      isCut &&= told === ""
      if (shown === null) return put(text)
      held += text
      const end = held.lastIndexOf("\n") + 1
      if (end === 0) return
      above(() => void stdout.write(held.slice(0, end)))
      held = held.slice(end)
    },
    listen: (to) => {
      wanted = to
      show()
    },
    answered: (text) => {
      if (shown !== "key") return
      stdout.write(`${text}\n`)
      hide()
    },
    used: () => {},
    close: () => {
      closed = true
      if (shown !== null) stdout.write("\n")
      shown = null
      editor.close()
      stdin.off("data", onData).off("end", onGone).off("error", onGone).pause()
      stdout.off("resize", onResize)
    }
  }
}
