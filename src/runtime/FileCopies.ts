/**
 * Uploaded files on this node's disk, where another node has taken them: each lies below `files/` of the data dir, in the same
 * directories on every node. `cluster/fileCopies.ts` fetches what is not here.
 */
import { Context, Data } from "effect"
import type { Effect } from "effect"
import type { FileRecord } from "../ledger/Ledger.ts"

/** A file is on no node that answers. Its node may come back. */
export class FileAway extends Data.TaggedError("FileAway")<{ readonly record: FileRecord; readonly reason: string }> {
  /** What it is for whoever asked (`passingOf`). */
  readonly passing = "file_away"
  override get message() {
    const { id, name, node } = this.record
    return `The file ${JSON.stringify(name)} (${id}) was uploaded to node ${node ?? "?"} and can't be fetched: ${this.reason}. Start that node, or upload the file again; nothing is lost meanwhile.`
  }
}

export class FileCopies extends Context.Service<
  FileCopies,
  {
    /** Where the file is on this node, or is to be. Where Troupe is alone, where it was stored. */
    readonly pathOf: (record: FileRecord) => string
    /** Its path on this node. Where it is not here it is fetched first, with deadlines, and a copy stays as long as the file. */
    readonly here: (record: FileRecord) => Effect.Effect<string, FileAway>
  }
>()("troupe/runtime/FileCopies") {}
