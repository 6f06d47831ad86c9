/** The contents of ACP messages as text. An agent may send anything, so every value is checked. */

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const str = (value: unknown): string => (typeof value === "string" ? value : "")

/** Text as it is, anything else as indented JSON. */
export const pretty = (value: unknown): string =>
  value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2)

/** The text of a content block, of a tool's content, or of a list of them; anything else is named. */
export const contentText = (content: unknown): string => {
  if (typeof content === "string") return content
  if (Array.isArray(content)) return content.map(contentText).join("\n")
  if (!isRecord(content)) return ""
  switch (content["type"]) {
    case "text":
      return str(content["text"])
    case "content":
      return contentText(content["content"])
    case "diff":
      return diffText(str(content["path"]), content["oldText"], str(content["newText"]))
    case "terminal":
      return `[terminal ${str(content["terminalId"])}]`
    case "resource_link":
      return `[${str(content["uri"])}]`
    default:
      return `[${str(content["type"]) || "something without a type"}]`
  }
}

/** A change of a file, as ACP has it in a tool's content. `before` is `null` where the file is new. */
export interface FileDiff {
  readonly path: string
  readonly before: string | null
  readonly after: string
}

/** The changes in a tool's content, and the text of all else in it. */
export const diffsIn = (content: unknown): { readonly diffs: ReadonlyArray<FileDiff>; readonly beside: string } => {
  const blocks = Array.isArray(content) ? content : [content]
  const isDiff = (block: unknown) => isRecord(block) && block["type"] === "diff"
  const diffs = blocks.filter(isRecord).filter(isDiff)
  return {
    diffs: diffs.map(({ newText, oldText, path }) => ({
      path: str(path),
      before: typeof oldText === "string" ? oldText : null,
      after: str(newText)
    })),
    beside: diffs.length === 0 ? "" : contentText(blocks.filter((block) => !isDiff(block)))
  }
}

const diffText = (path: string, before: unknown, after: string): string =>
  [path, ...lines(str(before)).map((line) => `- ${line}`), ...lines(after).map((line) => `+ ${line}`)].join("\n")

const lines = (text: string): ReadonlyArray<string> => (text === "" ? [] : text.replace(/\n$/, "").split("\n"))
