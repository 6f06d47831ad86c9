/**
 * A prompt as codex's `UserInput`. Codex knows texts and images; what else there is goes as text, in the prompt's order.
 *
 * Codex's own process reads an image's file, outside of the sandbox, so the permissions need not cover its path.
 */
import { Effect } from "effect"
import { access } from "node:fs/promises"
import { basename } from "node:path"
import type { PromptBlock } from "../../domain/PromptContent.ts"
import { AgentFailed } from "../Agent.ts"
import { promptText } from "../promptText.ts"

/** Fails where an image can't be read: codex would tell the model so, and the turn would go on without it. */
export const userInput = (blocks: ReadonlyArray<PromptBlock>): Effect.Effect<ReadonlyArray<object>, AgentFailed> =>
  Effect.forEach(blocks, (block): Effect.Effect<object, AgentFailed> =>
    block.type === "image"
      ? Effect.as(readable(block.path), { type: "localImage", path: block.path })
      : Effect.succeed({ type: "text", text: promptText(block) ?? "" })
  )

const readable = (path: string): Effect.Effect<void, AgentFailed> =>
  Effect.tryPromise({
    try: () => access(path),
    catch: (cause) => {
      const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : ""
      return new AgentFailed({
        class: "config",
        message: `The image ${basename(path)} of the prompt can't be read${code}. Send it again.`
      })
    }
  })
