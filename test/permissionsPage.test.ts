/** docs/permissions.md says what the table of permissions says. */
import { assert, it } from "@effect/vitest"
import { isUpToDate } from "../scripts/permissions.ts"

it("the tables of docs/permissions.md are those of the program: `npm run permissions` brings them up to date", () => {
  assert.isTrue(isUpToDate())
})
