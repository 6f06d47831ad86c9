/** `npm run config-schema`: brings troupe.config.schema.json up to date with the schemas that decode the file. A test holds it to them. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileSchema } from "../src/configuration/fileSchema.ts"

const file = join(import.meta.dirname, "..", "troupe.config.schema.json")

const wanted = (): string => `${JSON.stringify(fileSchema(), null, 2)}\n`

export const isUpToDate = (): boolean => readFileSync(file, "utf8") === wanted()

if (process.argv[1] === import.meta.filename) writeFileSync(file, wanted())
