/** The chain of causes behind a failure: libraries wrap the error that says what happened, under `cause` or `reason`. */

/** Far longer than any chain is; a chain that leads back into itself ends here. */
const mostCauses = 8

/** The failure itself, then what caused it, and so on. The last one is the innermost, which may be no error. */
export const causesOf = (failure: unknown): ReadonlyArray<unknown> => {
  const causes = [failure]
  for (let error = failure; causes.length < mostCauses && typeof error === "object" && error !== null;) {
    const { cause, reason } = error as { readonly cause?: unknown; readonly reason?: unknown }
    error = cause ?? reason
    if (error === undefined) break
    causes.push(error)
  }
  return causes
}
