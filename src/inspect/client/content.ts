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

const diffText = (path: string, before: unknown, after: string): string =>
  [path, ...lines(str(before)).map((line) => `- ${line}`), ...lines(after).map((line) => `+ ${line}`)].join("\n")

const lines = (text: string): ReadonlyArray<string> => (text === "" ? [] : text.replace(/\n$/, "").split("\n"))
