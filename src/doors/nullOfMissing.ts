import { TroupeError } from "../backend/TroupeError.ts"

/** For `catch`: what is not there is `null`. */
export const nullOfMissing = (error: unknown): null => {
  if (error instanceof TroupeError && error.status === 404) return null
  throw error
}
