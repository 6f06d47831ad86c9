/** Where a page of sessions begins that follows one of them. */
import { cursorOf } from "../ledger/Cursor.ts"

/** A `cursor` of the list of sessions: the next one is the session that was created before this. */
export const cursorAfter = (session: { readonly createdAt: number; readonly id: string }): string => cursorOf(session)
