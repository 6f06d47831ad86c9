/** Memories and skills of each app. The insert itself checks how many an app may have, so that no race exceeds it. */
import type { AppName } from "../../../domain/Ids.ts"
import type { Memory, Skill } from "../../../domain/Review.ts"
import type { Database, Write } from "../Database.ts"
import type { Dialect } from "../Dialect.ts"

const memoryColumns = "id, app, text, created_at, updated_at"
const skillColumns = "app, name, description, body, created_at, updated_at"

/** Two nodes would both find the last place free. */
const alone = ({ lock }: Dialect, app: AppName): Write => ({
  text: lock,
  params: [`learned ${app}`],
  failIfNoRow: "another node writes for the app"
})

export const memoryAdded = (
  dialect: Dialect,
  { app, createdAt, id, text, updatedAt }: Memory,
  atMost: number
): ReadonlyArray<Write> => [
  alone(dialect, app),
  {
    text: `INSERT INTO memories (${memoryColumns}) SELECT ?, ?, ?, ?, ?
    WHERE (SELECT count(*) FROM memories WHERE app = ?) < ? RETURNING 1`,
    params: [id, app, text, createdAt, updatedAt, app, atMost],
    failIfNoRow: "the app has as many memories as it may have"
  }
]

export const memoryReplaced = (app: AppName, id: string, text: string, at: number): Write => ({
  text: "UPDATE memories SET text = ?, updated_at = ? WHERE id = ? AND app = ? RETURNING 1",
  params: [text, at, id, app],
  failIfNoRow: "the app has no such memory"
})

export const memoryRemoved = (app: AppName, id: string): Write => ({
  text: "DELETE FROM memories WHERE id = ? AND app = ? RETURNING 1",
  params: [id, app],
  failIfNoRow: "the app has no such memory"
})

export const skillAdded = (dialect: Dialect, skill: Skill, atMost: number): ReadonlyArray<Write> => [
  alone(dialect, skill.app),
  {
    text: `INSERT INTO skills (${skillColumns}) SELECT ?, ?, ?, ?, ?, ?
    WHERE (SELECT count(*) FROM skills WHERE app = ?) < ? RETURNING 1`,
    params: [skill.app, skill.name, skill.description, skill.body, skill.createdAt, skill.updatedAt, skill.app, atMost],
    failIfNoRow: "the app has as many skills as it may have"
  }
]

export const skillReplaced = ({ app, body, description, name, updatedAt }: Omit<Skill, "createdAt">): Write => ({
  text: "UPDATE skills SET description = ?, body = ?, updated_at = ? WHERE app = ? AND name = ? RETURNING 1",
  params: [description, body, updatedAt, app, name],
  failIfNoRow: "the app has no such skill"
})

export const skillRemoved = (app: AppName, name: string): Write => ({
  text: "DELETE FROM skills WHERE app = ? AND name = ? RETURNING 1",
  params: [app, name],
  failIfNoRow: "the app has no such skill"
})

interface MemoryRow {
  readonly id: string
  readonly app: AppName
  readonly text: string
  readonly created_at: number
  readonly updated_at: number
}

const memoryOf = ({ created_at, updated_at, ...row }: MemoryRow): Memory => ({
  ...row,
  createdAt: created_at,
  updatedAt: updated_at
})

interface SkillRow {
  readonly app: AppName
  readonly name: string
  readonly description: string
  readonly body: string
  readonly created_at: number
  readonly updated_at: number
}

const skillOf = ({ created_at, updated_at, ...row }: SkillRow): Skill => ({
  ...row,
  createdAt: created_at,
  updatedAt: updated_at
})

export const reads = (db: Database) => ({
  memories: (app: AppName) =>
    db.all(
      "read the memories",
      `SELECT ${memoryColumns} FROM memories WHERE app = ? ORDER BY created_at, id`,
      [app],
      memoryOf
    ),
  skills: (app: AppName) =>
    db.all("read the skills", `SELECT ${skillColumns} FROM skills WHERE app = ? ORDER BY name`, [app], skillOf)
})
