/** The blocks of a prompt as plain text, for an agent or a protocol that takes nothing else. */
import type { PromptBlock } from "../domain/PromptContent.ts"

/** `null`: an image, which is no text. A resource is quoted within a fence that its text can't end. */
export const promptText = (block: PromptBlock): string | null => {
  switch (block.type) {
    case "text":
      return block.text
    case "resource_link": {
      const { description, name, title, uri } = block
      const about = [title, description].filter((words) => words !== undefined && words !== "").join(": ")
      return `[${name}](${uri})${about === "" ? "" : ` ${about}`}`
    }
    case "resource": {
      const { text, uri } = block.resource
      const fence = fenceAround(text)
      return `${uri}:\n${fence}\n${text}${text.endsWith("\n") ? "" : "\n"}${fence}`
    }
    case "image":
      return null
  }
}

const fenceAround = (text: string): string => {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  return "`".repeat(Math.max(3, longest + 1))
}
