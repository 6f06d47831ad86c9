/** What doors make a turn's prompt of: the blocks as they came, and the files that came with them. */
import type { Backend } from "../backend/Backend.ts"
import { imageTypes } from "../domain/PromptContent.ts"
import type { ContentBlock, ImageType } from "../domain/PromptContent.ts"

export interface Upload {
  readonly name: string
  readonly content: Uint8Array
}

/** `files` are ids of files of the app; `uploads` are to be stored before the turn is submitted. */
export interface Attached {
  readonly files: ReadonlyArray<string>
  readonly uploads: ReadonlyArray<Upload>
}

/** Text alone is text. */
export const promptOf = (blocks: ReadonlyArray<ContentBlock>): string | ReadonlyArray<ContentBlock> => {
  const texts = blocks.flatMap((block) => (block.type === "text" ? [block.text] : []))
  return texts.length === blocks.length ? texts.join("\n\n") : blocks
}

/** The ids of all files of a prompt, with those that the request brought stored. */
export const storeUploads = async (backend: Backend, { files, uploads }: Attached): Promise<ReadonlyArray<string>> => {
  const stored: Array<string> = []
  for (const { content, name } of uploads) stored.push((await backend.storeFile(name, content)).id)
  return [...files, ...stored]
}

export const isImageType = (type: string): type is ImageType => (imageTypes as ReadonlyArray<string>).includes(type)

/** The last part of an address. */
export const nameIn = (url: string): string =>
  url
    .split(/[?#]/, 1)[0]!
    .split("/")
    .findLast((part) => part !== "") ?? url

export const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/_-]+={0,2}$/.test(text)
