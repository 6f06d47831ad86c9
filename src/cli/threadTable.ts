/** The conversations that an agent has, as a table. */
import type { ThreadSummary } from "../services/Threads.ts"
import { cut } from "../domain/cut.ts"
import { ago, oneLine, table } from "./terminal.ts"

/** In characters: a title is often a whole prompt. */
const longestTitle = 60

export const threadTable = (threads: ReadonlyArray<ThreadSummary>, now: number): string =>
  table([
    ["THREAD", "LAST USED", "DIRECTORY", "TITLE"],
    ...threads.map(({ cwd, id, title, updatedAt }) => [
      oneLine(id),
      updatedAt === null ? "–" : ago(updatedAt, now),
      cwd === null ? "–" : oneLine(cwd),
      titleOf(oneLine(title ?? ""))
    ])
  ])

const titleOf = (title: string) => (title.length > longestTitle ? `${cut(title, longestTitle)}…` : title)
