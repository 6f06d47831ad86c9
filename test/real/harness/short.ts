/** With `CI` set the suite has a short form: half an hour is all that a change's checks may take. By hand it is whole. */
import { PermissionPolicy } from "../../../src/domain/Permissions.ts"

export const isShort = process.env["CI"] !== undefined

/** The words that the rows of ACP agents are checked for: the strictest, and the one that Troupe decides by paths. */
export const words: ReadonlyArray<PermissionPolicy> = isShort ? ["deny", "approve_edits"] : PermissionPolicy.literals
