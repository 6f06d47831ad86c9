/** The generated parts of a page: between `<!-- NAME: generated -->` and `<!-- end of NAME -->`. */

/** The page with its blocks filled in. A page without a place for one of them is an error. */
export const filled = (text: string, page: string, blocks: Readonly<Record<string, string>>): string =>
  Object.entries(blocks).reduce((sofar, [name, block]) => {
    const [begin, end] = [`<!-- ${name}: generated -->`, `<!-- end of ${name} -->`]
    const [from, to] = [sofar.indexOf(begin), sofar.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`${page} has no block ${name}: it begins with ${begin}`)
    return `${sofar.slice(0, from + begin.length)}\n\n${block}\n\n${sofar.slice(to)}`
  }, text)

export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [
    `| ${head.join(" | ")} |`,
    `|${"---|".repeat(head.length)}`,
    ...rows.map((row) => `| ${row.map(cell).join(" | ")} |`)
  ].join("\n")

/** A line break or a bar would end the cell. */
const cell = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ").replaceAll(/(?<!\\)\|/g, "\\|")

export const code = (text: string): string => `\`${text}\``
