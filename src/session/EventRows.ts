/**
 * Puts a session's events into the ledger's rows: events of one turn that follow each other share one (`ledger/eventPieces.ts`), and
 * those of the session that are among them.
 *
 * A row of its own costs an event of some words many times its text: the session's and the message's names, and an entry of
 * an index. So what is stored in the same commit is one row, and a row that is still short gets what comes next.
 */
import type { StoredEvent } from "../domain/Session.ts"
import { PieceWriter } from "../ledger/eventPieces.ts"
import type { LedgerWrite } from "../ledger/Ledger.ts"

/**
 * A stored row gets no more than this, in bytes: it is written anew with each event that joins it. Within it, it is one page
 * and a part of one in SQLite, and stays where it is in PostgreSQL, which moves what is longer to another table.
 */
const mostOfStoredBytes = 1_900
/** A row that is not stored yet, in bytes: it is read as a whole. */
const mostOfNewBytes = 64 * 1024

interface Row {
  readonly seq: number
  readonly turn: number | null
  last: number
  bytes: number
  readonly writer: PieceWriter
}

type Appended = Extract<LedgerWrite, { readonly _tag: "EventsAppended" }>

export class EventRows {
  /** The row that was written last, where it may get more. */
  #open: Row | null = null

  /**
   * The entries of these events, which come right behind those of the call before, and the length of their messages as JSON.
   * The entries must be stored.
   */
  entriesOf(events: ReadonlyArray<StoredEvent>): {
    readonly entries: ReadonlyArray<LedgerWrite>
    readonly characters: number
  } {
    const entries: Array<Appended> = []
    let characters = 0
    // A stored row is continued where that is the only statement: with rows of other turns, one INSERT has them all.
    let row = events.every(({ turn }) => turn === this.#open?.turn) ? this.#open : null
    let most = mostOfStoredBytes
    let written: { readonly first: string | null; readonly events: Array<StoredEvent>; more: string } | null = null
    const close = () => {
      if (row === null || written === null || written.events.length === 0) return
      const { first, more, events: taken } = written
      entries.push({ _tag: "EventsAppended", session: taken[0]!.session, row: row.seq, first, more, events: taken })
    }
    for (const event of events) {
      const { at, json: text = JSON.stringify(event.message), seq, turn } = event
      characters += text.length
      const ofTurn = turn === row?.turn
      if (row !== null && (ofTurn || turn === null) && row.last + 1 === seq) {
        const piece = row.writer.piece(at, text, ofTurn)
        const bytes = row.bytes + Buffer.byteLength(piece)
        if (bytes <= most) {
          written ??= { first: null, events: [], more: "" }
          written.more += piece
          written.events.push(event)
          row.last = seq
          row.bytes = bytes
          continue
        }
      }
      close()
      row = { seq, turn, last: seq, bytes: Buffer.byteLength(text), writer: new PieceWriter(at, text) }
      written = { first: text, events: [event], more: "" }
      most = mostOfNewBytes
    }
    close()
    this.#open = row !== null && row.bytes < mostOfStoredBytes ? row : null
    return { entries, characters }
  }
}
