/** What was found of a database or of a node, and the one thing to do where it is not right. */
export interface Check {
  readonly what: string
  readonly level: "ok" | "warn" | "fails"
  readonly found: string
  /** `null` where nothing is to be done. */
  readonly remedy: string | null
}

export const ok = (what: string, found: string): Check => ({ what, level: "ok", found, remedy: null })

/** A warning costs speed or safety in an accident; what fails does not work, or loses what was acknowledged. */
export const unless = (
  isRight: boolean,
  what: string,
  found: string,
  remedy: string,
  level: "warn" | "fails" = "fails"
): Check => (isRight ? ok(what, found) : { what, level, found, remedy })
