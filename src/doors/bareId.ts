const prefix = "ses_"

/** A session's id as a part of another id. */
export const bareId = (session: string): string => (session.startsWith(prefix) ? session.slice(prefix.length) : session)

export const sessionOfBare = (bare: string): string => `${prefix}${bare}`
