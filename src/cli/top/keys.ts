/** What each key does, by the mode. */
import type { Mode, Order } from "./Model.ts"
import type { Key, Size } from "./Screen.ts"
import type { Top } from "./Top.ts"
import { states } from "./words.ts"
import { cut } from "../../domain/cut.ts"

/** The server takes no longer filter. */
const longestFilter = 200

export const press = (top: Top, key: Key, size: Size): void => {
  if (key.ctrl && key.name === "c") return top.quit()
  const { mode } = top.model
  switch (mode.name) {
    case "filter":
      return inFilter(top, mode, key)
    case "confirm":
      top.model.mode = { name: "table" }
      if (key.text === "y" || key.text === "Y") top.act(mode.order, mode.id)
      return
    case "approvals":
      return inApprovals(top, key)
    case "help":
      top.model.mode = { name: "table" }
      return key.text === "q" ? top.quit() : undefined
    case "table":
      return inTable(top, key, size)
  }
}

const orders: Readonly<Record<string, Order>> = { i: "interrupt", c: "close", u: "unpark" }

const inTable = (top: Top, key: Key, { rows }: Size): void => {
  const { model } = top
  const by = stepsOf(key, Math.max(1, rows - 6))
  if (by !== undefined) return top.move(by)
  const order = orders[key.text]
  if (order !== undefined) {
    if (model.selected === null) return top.notify("There is no session under the cursor.", "bad")
    model.mode = { name: "confirm", order, id: model.selected }
    return
  }
  const { q, state } = model.rows.filter
  if (key.name === "return" || key.name === "enter") return top.toggle()
  if (key.name === "escape" && q + (state ?? "") !== "") return top.reload({ ...model.rows.filter, q: "", state: null })
  switch (key.text) {
    case "q":
      return top.quit()
    case "/":
      model.mode = { name: "filter", text: q, before: q }
      return
    case "s":
      return top.showState(states[state === null ? 0 : states.indexOf(state) + 1] ?? null)
    case "r":
      return top.reload()
    case "?":
      model.mode = { name: "help" }
      return
    case "a":
      model.mode = { name: "approvals" }
      // None is chosen before the list was shown.
      model.approval = null
      return
  }
}

const inApprovals = (top: Top, key: Key): void => {
  const by = stepsOf(key, 10)
  if (by !== undefined) return top.chooseApproval(by)
  if (key.name === "escape" || key.text === "a" || key.text === "q") {
    top.model.mode = { name: "table" }
    return
  }
  if (key.text === "o") return top.answer("once")
  if (key.text === "s") return top.answer("session")
  if (key.text === "d") return top.answer("deny")
}

const inFilter = (top: Top, mode: Extract<Mode, { readonly name: "filter" }>, key: Key): void => {
  const { model } = top
  const write = (text: string) => {
    model.mode = { ...mode, text: cut(text, longestFilter) }
    top.filterTyped()
  }
  if (key.name === "return" || key.name === "enter" || key.name === "escape") {
    model.mode = { name: "table" }
    const q = key.name === "escape" ? mode.before : mode.text
    if (q !== model.rows.filter.q) top.reload({ ...model.rows.filter, q })
    return
  }
  if (key.name === "backspace") return write([...mode.text].slice(0, -1).join(""))
  if (key.ctrl && key.name === "u") return write("")
  if (key.text !== "") write(mode.text + key.text)
}

const stepsOf = ({ name, text }: Key, page: number): number | undefined => {
  if (name === "up" || text === "k") return -1
  if (name === "down" || text === "j") return 1
  if (name === "pageup") return -page
  if (name === "pagedown") return page
  if (name === "home" || text === "g") return Number.NEGATIVE_INFINITY
  if (name === "end" || text === "G") return Number.POSITIVE_INFINITY
  return undefined
}
