/**
 * The uploaded files that a prompt names, on the node that hands it to an agent: fetched, and named by their paths here.
 *
 * A prompt names a file by a line that is its path, or by an image's path. Both end in the app, the file's id and its name, which
 * are the same on every node; the data dir before them need not be.
 */
import { Clock, Effect, Option, Schedule } from "effect"
import { AgentFailed } from "../agent/Agent.ts"
import { FileId } from "../domain/Ids.ts"
import type { AppName, SessionId } from "../domain/Ids.ts"
import type { PromptBlock } from "../domain/PromptContent.ts"
import type { Prompt } from "../domain/Turn.ts"
import { Ledger } from "../ledger/Ledger.ts"
import { FileCopies } from "../runtime/FileCopies.ts"
import { ThisNode } from "../runtime/ThisNode.ts"
import type { Submission } from "../session/Envelope.ts"

/** As `services/Files.ts` stores it. */
const filePath = /^\/(?:.+\/)?files\/[^/]+\/(file_[0-9a-f]{32})\/[^/]+$/

/** More than a turn can have. */
const mostFiles = 128

/** How long a node that has a file may take to be started again, once its turn was taken. */
const comesBackMillis = 30_000
const looksAgainEvery = "1 second"

/** The paths of files among these blocks, with the id in each. */
export const filesIn = (blocks: ReadonlyArray<PromptBlock>): ReadonlyMap<string, FileId> => {
  const found = new Map<string, FileId>()
  for (const block of blocks) {
    const paths = block.type === "text" ? linesOf(block.text) : block.type === "image" ? [block.path] : []
    for (const path of paths) {
      const id = filePath.exec(path)?.[1]
      if (id !== undefined && found.size < mostFiles) found.set(path, FileId.make(id))
    }
  }
  return found
}

const linesOf = (text: string) => (text.includes("/file_") ? text.split("\n") : [])

/** The prompt with other paths in place of those. */
export const withPathsHere = (prompt: Prompt, paths: ReadonlyMap<string, string>): Prompt => {
  const named = (text: string) => {
    let changed = text
    for (const [there, here] of paths) changed = changed.replaceAll(there, here)
    return changed
  }
  const blocks = prompt.blocks.map((block) => {
    if (block.type === "text") return { ...block, text: named(block.text) }
    return block.type === "image" ? { ...block, path: paths.get(block.path) ?? block.path } : block
  })
  return { ...prompt, text: named(prompt.text), blocks }
}

export const make = Effect.gen(function* () {
  const copies = yield* FileCopies
  const ledger = yield* Ledger
  const { isAlone } = yield* ThisNode

  const bring = Effect.fnUntraced(function* (app: AppName, named: ReadonlyMap<string, FileId>) {
    const paths = new Map<string, string>()
    for (const [there, id] of named) {
      const record = yield* ledger.file(app, id)
      // It was deleted, or is a line of the app's that only looks like one of its files.
      if (Option.isSome(record)) paths.set(there, yield* copies.here(record.value))
    }
    return paths
  })

  return {
    /** Before a turn is taken: fails with `FileAway` where one of its files can't be fetched now. */
    fetch: Effect.fnUntraced(function* (
      session: SessionId,
      { content, prompt }: Pick<Submission, "content" | "prompt">
    ) {
      if (isAlone) return
      const named = filesIn(content ?? [{ type: "text", text: prompt }])
      if (named.size === 0) return
      const record = yield* ledger.session(session)
      if (Option.isSome(record)) yield* bring(record.value.app, named)
    }),
    /** The prompt as an agent of this node is to have it. A node that has a file of it gets some time to come back. */
    localised: Effect.fnUntracedEager(function* (app: AppName, prompt: Prompt) {
      if (isAlone) return prompt
      const giveUpAt = (yield* Clock.currentTimeMillis) + comesBackMillis
      const paths = yield* bring(app, filesIn(prompt.blocks)).pipe(
        Effect.catchTag("LedgerError", Effect.die),
        Effect.retry({
          schedule: Schedule.spaced(looksAgainEvery),
          while: () => Effect.map(Clock.currentTimeMillis, (now) => now < giveUpAt)
        }),
        Effect.mapError(
          ({ message }) => new AgentFailed({ class: "not_delivered", message: `${message} ${sendAgain}` })
        )
      )
      return withPathsHere(prompt, paths)
    })
  } as const
})

const sendAgain = "The agent got nothing of this turn: send it again then."
