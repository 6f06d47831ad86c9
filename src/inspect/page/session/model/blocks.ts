/**
 * A text in pieces of some lines, each but the last of which ends with a line's end. What is added to the text leaves all
 * pieces but the last as they are, so that a browser that shows each by itself has one to lay out, and not all that was said.
 */
export const blocksOf = (text: string): ReadonlyArray<string> => {
  const blocks: Array<string> = []
  let from = 0
  while (true) {
    const end = text.indexOf("\n", from + leastLength)
    if (end === -1) return [...blocks, text.slice(from)]
    blocks.push(text.slice(from, end + 1))
    from = end + 1
  }
}

const leastLength = 400
