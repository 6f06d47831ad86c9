/**
 * What a caller sends as a prompt, as it is stored: its text, and its blocks where it is more than that.
 *
 * An image that came with the request becomes a file of the app first. An attached file that is an image is a block, too,
 * where the agent sees images; its path is in the text in any case, for the agent's tools.
 */
import { Effect, FileSystem, Schema, Stream } from "effect"
import type { Agents } from "../agent/Agents.ts"
import { imageTypeOf, signatureBytes } from "../domain/imageType.ts"
import type { AppName, FileId } from "../domain/Ids.ts"
import { ContentBlock, maxContentBlocks } from "../domain/PromptContent.ts"
import type { PromptBlock } from "../domain/PromptContent.ts"
import { InvalidRequest, NotSupported, Unavailable } from "../domain/Refusal.ts"
import type { SessionRecord } from "../domain/Session.ts"
import { Files, withPaths } from "./Files.ts"
import type { StoredFile } from "./Files.ts"

/** What the strictest provider takes of one image. A longer file is attached by its path alone. */
export const maxImageBytes = 5 * 1024 * 1024

/** For callers of the library without types. */
const isBlock = Schema.is(ContentBlock)

export interface PromptParts {
  readonly text: string
  /** `null`: the text is all. */
  readonly content: ReadonlyArray<PromptBlock> | null
}

export const make = Effect.gen(function* () {
  const files = yield* Files
  const fs = yield* FileSystem.FileSystem

  /** `null`: it is no image, or too large for one. */
  const imageOf = Effect.fnUntraced(function* (app: AppName, { id, size }: StoredFile) {
    if (size > maxImageBytes) return null
    // Another node may have taken it.
    const [file] = yield* files.findHere(app, [id])
    if (file === undefined) return null
    const start = yield* fs.stream(file.path, { bytesToRead: signatureBytes }).pipe(
      Stream.runFold(
        () => new Uint8Array(),
        (all, chunk) => Buffer.concat([all, chunk])
      ),
      Effect.mapError((cause) => new Unavailable({ operation: "read an attached file", cause }))
    )
    const mimeType = imageTypeOf(start)
    return mimeType === null ? null : ({ type: "image", mimeType, path: file.path } as const)
  })

  const imagesAmong = Effect.fnUntraced(function* (app: AppName, attached: ReadonlyArray<StoredFile>) {
    const images: Array<PromptBlock> = []
    for (const file of attached) {
      const image = yield* imageOf(app, file)
      if (image !== null) images.push(image)
    }
    return images
  })

  const stored = Effect.fnUntraced(function* (app: AppName, block: ContentBlock, field: string) {
    if (block.type !== "image") return block
    const bytes = bytesOf(block.data)
    if (bytes === null) return yield* new InvalidRequest({ field: `${field}.data`, problem: "must be base64." })
    if (bytes.byteLength > maxImageBytes) {
      const problem = `may have at most ${maxImageBytes} bytes.`
      return yield* new InvalidRequest({ field: `${field}.data`, problem })
    }
    const type = imageTypeOf(bytes)
    if (type !== block.mimeType) {
      const problem = `is ${block.mimeType}, and the data is ${type ?? "none of the image types"}.`
      return yield* new InvalidRequest({ field: `${field}.mimeType`, problem })
    }
    const { path } = yield* files
      .store(app, `image.${type.slice("image/".length)}`, Stream.make(bytes))
      .pipe(
        Effect.catchTag("FileTooLarge", ({ detail }) => new InvalidRequest({ field, problem: `is refused: ${detail}` }))
      )
    return { type: "image", mimeType: type, path } as const
  })

  /** Refuses what the agent can't see before anything is stored. */
  return Effect.fnUntraced(function* (
    agents: Agents["Service"],
    { agent, app }: SessionRecord,
    prompt: string | ReadonlyArray<ContentBlock>,
    ids: ReadonlyArray<FileId>
  ): Effect.fn.Return<PromptParts, InvalidRequest | NotSupported | Effect.Error<ReturnType<typeof files.find>>> {
    if (typeof prompt === "string" && ids.length === 0) return { text: prompt, content: null }
    const unusable = typeof prompt === "string" ? -1 : prompt.findIndex((block) => !isBlock(block))
    if (unusable !== -1) {
      return yield* new InvalidRequest({ field: `prompt[${unusable}]`, problem: "is no content block of ACP." })
    }
    const driver = yield* Effect.option(agents.driver(agent))
    const seesImages = driver._tag === "Some" && driver.value.capabilities.images
    const blocks = typeof prompt === "string" ? [{ type: "text", text: prompt } as const] : prompt
    if (blocks.length > maxContentBlocks) {
      return yield* new InvalidRequest({ field: "prompt", problem: `may have at most ${maxContentBlocks} blocks.` })
    }
    if (!seesImages && blocks.some(({ type }) => type === "image")) {
      const problem = `${agent} takes no images (capabilities.images of GET /agents). Upload the file, and attach it with files.`
      return yield* new NotSupported({ problem })
    }
    const attached = yield* files.find(app, ids)
    const content: Array<PromptBlock> =
      attached.length === 0 ? [] : [{ type: "text", text: withPaths(attached, "").trimEnd() }]
    for (const [index, block] of blocks.entries()) content.push(yield* stored(app, block, `prompt[${index}]`))
    if (seesImages) content.push(...(yield* imagesAmong(app, attached)))
    const text = withPaths(attached, typeof prompt === "string" ? prompt : blocks.map(textOf).join("\n"))
    const isText = content.every(({ type }) => type === "text")
    return { text, content: isText && typeof prompt === "string" ? null : content }
  })
})

/** Whether there is anything in it for an agent. */
export const isBlank = (prompt: string | ReadonlyArray<ContentBlock>): boolean =>
  typeof prompt === "string"
    ? prompt.trim() === ""
    : prompt.every((block) => block.type === "text" && block.text.trim() === "")

/** All that is text in it, for the checks of words. */
export const wordsOf = (prompt: string | ReadonlyArray<ContentBlock>): string =>
  typeof prompt === "string"
    ? prompt
    : prompt.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n")

/** A block in the transcript, which is text. */
const textOf = (block: ContentBlock): string => {
  switch (block.type) {
    case "text":
      return block.text
    case "image":
      return `[${block.mimeType}]`
    case "resource_link":
      return `[${block.name}](${block.uri})`
    case "resource":
      return `[${block.resource.uri}]\n${block.resource.text}`
  }
}

const base64 = /^[A-Za-z0-9+/]+={0,2}$/

const bytesOf = (data: string): Uint8Array | null =>
  base64.test(data) && data.length % 4 === 0 ? Buffer.from(data, "base64") : null
