/** Which line of a process's stderr says what went wrong. */
import { assert, describe, it } from "@effect/vitest"
import { errorLine } from "../../src/agent/errorLine.ts"

describe("the line of an error", () => {
  it.each([
    [
      "Node's own last line and stack are passed over",
      '/srv/agent.js:3\nthrow new TypeError("no token")\n      ^\n\nTypeError: no token\n    at Object.<anonymous> (/srv/agent.js:3:7)\n    at Module._compile (node:internal/modules/cjs/loader:1554:14)\n\nNode.js v24.1.0\n',
      "TypeError: no token"
    ],
    [
      "of an error with a code",
      "node:internal/modules/cjs/loader:1228\n  throw err;\n  ^\n\nError [ERR_MODULE_NOT_FOUND]: Cannot find package 'x'\n  code: 'ERR_MODULE_NOT_FOUND'\n}\n\nNode.js v24.1.0",
      "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'x'"
    ],
    [
      "Python names it last",
      "Traceback (most recent call last):\n  File \"/srv/a.py\", line 2, in <module>\n    import nothing\nModuleNotFoundError: No module named 'nothing'\n",
      "ModuleNotFoundError: No module named 'nothing'"
    ],
    [
      "Rust says where, then what",
      "thread 'main' panicked at src/main.rs:2:5:\nno config\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
      "thread 'main' panicked at src/main.rs:2:5: no config"
    ],
    [
      "Go",
      "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()",
      "panic: runtime error: index out of range"
    ],
    ["a shell", "starting\nsh: 1: codex: not found\n", "sh: 1: codex: not found"],
    ["a log", "INFO begin\n2026-11-29 ERROR codex: login expired\nINFO bye", "2026-11-29 ERROR codex: login expired"],
    ["the last, where none looks like one", "begin\nbye\n", "bye"],
    ["nothing", "\n \n", ""]
  ])("%s", (_, stderr, line) => assert.strictEqual(errorLine(stderr), line))
})
