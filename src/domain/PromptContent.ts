/**
 * The content of a prompt: text, images and resources, as the content blocks of the Agent Client Protocol, version 1.
 *
 * What a client sends is a `ContentBlock`. What is stored and handed to an agent is a `PromptBlock`: an image is a file by
 * then, so that a turn's row stays small and each protocol may send the path or the bytes.
 */
import { Schema } from "effect"

/** The types that the models of every provider read. */
export const imageTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"] as const
export type ImageType = (typeof imageTypes)[number]

export const maxContentBlocks = 64

const optionalText = Schema.optionalKey(Schema.String)

/** A text that is part of the prompt, such as a file of an editor that is not saved yet. */
const TextResource = Schema.Struct({
  uri: Schema.NonEmptyString,
  mimeType: optionalText,
  text: Schema.String
})

const TextBlock = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })
const LinkBlock = Schema.Struct({
  type: Schema.Literal("resource_link"),
  uri: Schema.NonEmptyString,
  name: Schema.NonEmptyString,
  title: optionalText,
  description: optionalText,
  mimeType: optionalText,
  size: Schema.optionalKey(Schema.Finite)
})
const ResourceBlock = Schema.Struct({ type: Schema.Literal("resource"), resource: TextResource })

export const ContentBlock = Schema.Union([
  TextBlock,
  Schema.Struct({
    type: Schema.Literal("image"),
    mimeType: Schema.Literals(imageTypes),
    data: Schema.NonEmptyString.annotate({ description: "The image in base64." })
  }),
  LinkBlock,
  ResourceBlock
]).annotate({
  identifier: "ContentBlock",
  description: "A content block of the Agent Client Protocol, with the keys that it has there."
})
export type ContentBlock = typeof ContentBlock.Type

/** A block as it is stored. `path`: an absolute path below Troupe's data dir. */
export const PromptBlock = Schema.Union([
  TextBlock,
  Schema.Struct({ type: Schema.Literal("image"), mimeType: Schema.Literals(imageTypes), path: Schema.String }),
  LinkBlock,
  ResourceBlock
])
export type PromptBlock = typeof PromptBlock.Type

/** A block of a prompt that was submitted, as the session's stream has it: an image by its file, not by its bytes. */
export const SubmittedBlock = Schema.Union([
  TextBlock,
  Schema.Struct({
    type: Schema.Literal("image"),
    mimeType: Schema.Literals(imageTypes),
    uri: Schema.NonEmptyString.annotate({
      description: "A `file:` address on the server's machine, as long as the app's file is there."
    })
  }),
  LinkBlock,
  ResourceBlock
]).annotate({
  identifier: "SubmittedBlock",
  description:
    "A content block of a prompt that was submitted. An image is the file that Troupe made of it, or that was attached."
})
export type SubmittedBlock = typeof SubmittedBlock.Type
