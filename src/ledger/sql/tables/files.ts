/** Records of uploaded files: the app each belongs to, and its path. `src/services/Files.ts` keeps the bytes. */
import { Effect, Option } from "effect"
import type { AppName, FileId } from "../../../domain/Ids.ts"
import type { Database, Write } from "../Database.ts"
import type { FileRecord } from "../../LedgerWrite.ts"
import { insertInto, json } from "./columns.ts"

const columns = ["id", "app", "name", "size", "path", "created_at", "node"]
const insertFile = insertInto("files", columns)
const select = `SELECT ${columns.join(", ")} FROM files`

export const inserted = (record: FileRecord): Write => ({
  text: insertFile,
  params: [record.id, record.app, record.name, record.size, record.path, record.createdAt, record.node]
})

interface FileRow {
  readonly id: FileId
  readonly app: AppName
  readonly name: string
  readonly size: number
  readonly path: string
  readonly created_at: number
  readonly node: string | null
}

const recordOf = ({ created_at, ...row }: FileRow): FileRecord => ({ ...row, createdAt: created_at })

export const reads = (db: Database) => ({
  file: (app: AppName, id: FileId) =>
    db
      .all("read a file's record", `${select} WHERE id = ? AND app = ?`, [id, app], recordOf)
      .pipe(Effect.map(([row]) => Option.fromNullishOr(row))),
  filesBefore: (createdBefore: number, limit: number, node?: string) =>
    db.all(
      "look for old files",
      `${select} WHERE created_at < ?${node === undefined ? "" : " AND (node = ? OR node IS NULL)"} ORDER BY created_at LIMIT ?`,
      [createdBefore, ...(node === undefined ? [] : [node]), limit],
      recordOf
    ),
  knownFiles: (ids: ReadonlyArray<FileId>) =>
    db.all(
      "look which files are known",
      `SELECT id FROM files WHERE ${db.dialect.inList("id")}`,
      [json(ids)],
      ({ id }: { readonly id: FileId }) => id
    ),
  removeFiles: (ids: ReadonlyArray<FileId>) =>
    db
      .commit("remove files' records", [
        { text: `DELETE FROM files WHERE ${db.dialect.inList("id")}`, params: [json(ids)] }
      ])
      .pipe(Effect.asVoid)
})
