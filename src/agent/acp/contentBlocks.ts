/** The blocks of a prompt as ACP's content blocks, in their order. An image's file is read here, when it is handed over. */
import { Effect } from "effect"
import { open } from "node:fs/promises"
import { basename } from "node:path"
import type { ImageType, PromptBlock } from "../../domain/PromptContent.ts"
import { AgentFailed } from "../Agent.ts"
import { promptText } from "../promptText.ts"
import type { AgentIdentity } from "./failures.ts"

/** More than any provider takes; as base64 in one line it is 27 MB. */
const maxImageBytes = 20 * 1024 * 1024

/** What the agent announced of its prompts. */
export interface PromptAbilities {
  readonly images: boolean
  /** It takes `resource`; else that is written as text. */
  readonly resources: boolean
}

export const contentBlocks = (
  blocks: ReadonlyArray<PromptBlock>,
  abilities: PromptAbilities,
  { name }: AgentIdentity
): Effect.Effect<ReadonlyArray<object>, AgentFailed> => {
  const contentOf = (block: PromptBlock): Effect.Effect<object, AgentFailed> => {
    switch (block.type) {
      case "image":
        return abilities.images
          ? imageBlock(block)
          : refused(`${name} takes no images. Send the prompt without them, or use another agent.`)
      case "resource":
        return Effect.succeed(abilities.resources ? block : { type: "text", text: promptText(block) ?? "" })
      default:
        return Effect.succeed(block)
    }
  }
  return Effect.forEach(blocks, contentOf)
}

const imageBlock = ({ mimeType, path }: { readonly mimeType: ImageType; readonly path: string }) =>
  Effect.tryPromise({
    try: () => bytesOf(path),
    catch: (cause) => new Unreadable(cause instanceof Error ? cause.message : String(cause))
  }).pipe(
    Effect.catch(({ message }) =>
      refused(`The image ${basename(path)} of the prompt can't be read (${message}). Send it again.`)
    ),
    Effect.flatMap((bytes) =>
      bytes === null
        ? refused(`The image ${basename(path)} of the prompt has more than ${maxImageBytes} bytes. Send a smaller one.`)
        : Effect.succeed({ type: "image", mimeType, data: bytes.toString("base64") })
    )
  )

class Unreadable extends Error {}

/** `null`: too many. */
const bytesOf = async (path: string): Promise<Buffer | null> => {
  const file = await open(path, "r")
  try {
    const { size } = await file.stat()
    return size > maxImageBytes ? null : await file.readFile()
  } finally {
    await file.close()
  }
}

const refused = (message: string) => Effect.fail(new AgentFailed({ class: "config", message }))
