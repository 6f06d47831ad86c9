/** The names things go by. All are opaque strings; only their makers know what is inside. */
import { Schema } from "effect"

/** `ses_` and 27 characters of 160 random bits: unguessable, and long enough for any app's own checks (at least 16). */
export const SessionId = Schema.NonEmptyString.pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

/** An app is a tenant: it owns sessions and files, and sees no other app's. */
export const AppName = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
    expected: "1 to 63 characters of a-z, 0-9, '.', '_' or '-', beginning with a letter or digit"
  })
).pipe(Schema.brand("AppName"))
export type AppName = typeof AppName.Type

export const FileId = Schema.NonEmptyString.pipe(Schema.brand("FileId"))
export type FileId = typeof FileId.Type

/** One life of one agent process. Its value is what a child carries in `TROUPE_LEASE`. */
export const LeaseId = Schema.NonEmptyString.pipe(Schema.brand("LeaseId"))
export type LeaseId = typeof LeaseId.Type
