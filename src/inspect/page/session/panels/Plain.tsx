/** A text as it is. Where it is said while one looks, only its end is laid out and painted anew. */
import { blocksOf } from "../model/blocks.ts"

export const Plain = ({ text }: { readonly text: string }) => {
  const blocks = blocksOf(text)
  return <p class="entry-text">{blocks.length === 1 ? text : blocks.map((block, n) => <span key={n}>{block}</span>)}</p>
}
