/** The first import of the library's entries: fails on a Node that is too old before anything else of the library runs. */
import { nodeTooOld } from "./nodeVersion.ts"

const problem = nodeTooOld()
if (problem !== null) {
  const error = new Error(`troupe ${problem}.`)
  // Where in the library it is thrown helps nobody.
  error.stack = `Error: ${error.message}`
  throw error
}
