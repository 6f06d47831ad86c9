/** Uploads over real connections: the parts of a form, and the bytes between them. */
import { it } from "@effect/vitest"
import * as fc from "fast-check"
import { anyText, damaged } from "./arbitraries.ts"
import { fuzz } from "./fuzz.ts"
import { assertNoFault, everyHundred, request, sendRaw, withServer } from "./server.ts"

it("a form is stored or refused, whatever its parts are", () =>
  withServer(async (fuzzed) => {
    const { port, token } = fuzzed
    const look = everyHundred(fuzzed)
    const part = fc.tuple(
      fc.constantFrom("file", "file", "other", ""),
      fc.oneof(fc.constantFrom("a.txt", "../a", "", "a\u0000b"), anyText),
      fc.constantFrom(
        "",
        "content-type: text/plain\r\n",
        "content-transfer-encoding: base64\r\n",
        "content-disposition: x\r\n"
      ),
      fc.oneof(anyText, fc.constant("--b"), fc.constant("\r\n--b--"))
    )
    const form = fc
      .array(part, { maxLength: 4 })
      .map((parts) =>
        [
          ...parts.map(
            ([name, file, more, content]) =>
              `--b\r\ncontent-disposition: form-data; name="${name}"; filename="${file}"\r\n${more}\r\n${content}\r\n`
          ),
          "--b--\r\n"
        ].join("")
      )
    await fuzz({
      name: "forms",
      share: 0.04,
      arbitrary: fc.record({
        body: fc.oneof(
          damaged(form),
          form.map((text) => Buffer.from(text))
        ),
        boundary: fc.oneof({ weight: 8, arbitrary: fc.constant("b") }, { weight: 1, arbitrary: anyText })
      }),
      run: async ({ body, boundary }) => {
        const bytes = request(
          "POST",
          "/files",
          [
            `authorization: Bearer ${token}`,
            `content-type: multipart/form-data; boundary=${boundary.replaceAll(/[\r\n]/g, "")}`
          ],
          body
        )
        assertNoFault(await sendRaw(port, bytes), body.toString("latin1"))
        look()
      }
    })
  }))
