/** Bounds the depth of what an agent wrote, once, where it is read: much of what is done with it goes down by recursion. */

/**
 * More than anything that has a meaning, and more than is stored (`maxDepth` in `domain/storable.ts`), so that whoever
 * stores it still sees that there was more. `JSON.stringify` fails at some 4,000.
 */
export const maxReadDepth = 512

/** A text that nests deeper has at least as many brackets, and a closing one for each. */
const shortestDeep = 2 * maxReadDepth

/** The value of the text, fresh from its parser, in which what is nested deeper is `null`. */
export const shallow = (value: unknown, text: string): unknown => {
  if (text.length < shortestDeep || typeof value !== "object" || value === null) return value
  const left: Array<readonly [holder: object, depth: number]> = [[value, 1]]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [holder, depth] = next
    for (const [key, member] of Object.entries(holder)) {
      if (typeof member !== "object" || member === null) continue
      if (depth >= maxReadDepth) Reflect.set(holder, key, null)
      else left.push([member, depth + 1])
    }
  }
  return value
}
