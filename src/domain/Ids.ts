/**
 * The ids and tokens, and the functions that make them. All are opaque strings, whose content has no meaning.
 *
 * The random bytes are those of Web Crypto, which Node and browsers both have.
 */
import { Redacted, Schema } from "effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Hex from "effect/encoding/Hex"

/** `ses_` and 27 characters of 160 random bits: unguessable, and long enough for any app's own checks (at least 16). */
export const SessionId = Schema.NonEmptyString.pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

/** The name of an app. An app is a tenant: it owns sessions and files, and sees none of another app. */
export const AppName = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
    expected: "1 to 63 characters of a-z, 0-9, '.', '_' or '-', beginning with a letter or digit"
  })
).pipe(Schema.brand("AppName"))
export type AppName = typeof AppName.Type

export const FileId = Schema.NonEmptyString.pipe(Schema.brand("FileId"))
export type FileId = typeof FileId.Type

/** The lease of one agent process. Its value is the marker of the process and its descendants (`TROUPE_LEASE`). */
export const LeaseId = Schema.NonEmptyString.pipe(Schema.brand("LeaseId"))
export type LeaseId = typeof LeaseId.Type

/** One start of Troupe as an owner of sessions: a node that is started again has another one. */
export const NodeToken = Schema.NonEmptyString.pipe(Schema.brand("NodeToken"))
export type NodeToken = typeof NodeToken.Type

const randomBytes = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

/** 4 characters for 3 bytes, without padding. */
const base64Url = (bytes: number): string => Base64Url.encode(randomBytes(bytes))

const hex = (bytes: number): string => Hex.encode(randomBytes(bytes))

export const newSessionId = (): SessionId => SessionId.make(`ses_${base64Url(20)}`)

/** Stands for a session where `/run` takes a process slot: a one-shot run has none. */
export const newRunId = (): SessionId => SessionId.make(`run_${hex(16)}`)

/** Of a submission for which its sender has no name. One for each turn, so of those that are made many at a time. */
export const newSubmissionId = (): string => `sub_${crypto.randomUUID()}`

export const newApprovalId = (): string => `apr_${base64Url(20)}`

export const newReviewId = (): string => `rev_${base64Url(12)}`

export const newWebhookId = (): string => `whk_${base64Url(12)}`

export const newMemoryId = (): string => `mem_${base64Url(9)}`

export const newFileId = (): FileId => FileId.make(`file_${hex(16)}`)

/** `prefix` says who holds the lease, for a person who reads a process's environment. */
export const newLeaseId = (prefix: "" | "run_" | "doctor-" | "threads-" | "version-" = ""): LeaseId =>
  LeaseId.make(`${prefix}${crypto.randomUUID()}`)

export const newNodeToken = (): NodeToken => NodeToken.make(`node_${hex(16)}`)

/** The token of an app: 43 characters of 256 random bits behind the prefix. */
export const newAppToken = (): Redacted.Redacted<string> => Redacted.make(`trp_${base64Url(32)}`)

export const newAdminToken = (): Redacted.Redacted<string> => Redacted.make(`trp_admin_${base64Url(32)}`)
