/** A takeover in words: who took the session from whom, and what had become of that one. */
import type { Owner } from "../../../sessionContract.ts"

const fates: Readonly<Record<NonNullable<Owner["before"]>, string>> = {
  left: ", which had left",
  silent: ", which gave no sign of life any more",
  released: ", which had let go of it"
}

/** Of a node that took its own session again, after it was started again. */
const returns: typeof fates = {
  left: " after it had left",
  silent: " after it had died",
  released: " after it had let go of it"
}

export const takeoverWords = (before: Owner, { before: fate, node }: Owner): string =>
  before.node === node
    ? `${node} took it again${fate === null ? "" : returns[fate]}`
    : `${node} took it over from ${before.node}${fate === null ? "" : fates[fate]}`
