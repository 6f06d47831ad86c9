/** A reporter for vitest that names the tests which passed only at a repetition: each is a fault to mend. */
import type { Reporter, TestCase } from "vitest/node"

export default class FlakyTests implements Reporter {
  readonly #names: Array<string> = []

  onTestCaseResult(test: TestCase) {
    if (test.diagnostic()?.flaky === true) this.#names.push(`${test.module.relativeModuleId} > ${test.fullName}`)
  }

  onTestRunEnd() {
    for (const name of this.#names) console.log(`Flaky: ${name}`)
  }
}
