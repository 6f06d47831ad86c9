/** Loads the rows of the table page by page. An answer that a newer load has overtaken is dropped. */
import type { Api, Problem, SessionFilter } from "../../inspect/client/api.ts"
import type { Model } from "./Model.ts"
import type { Requests } from "./requests.ts"

const pageSize = 100
const typedMillis = 250

interface Parts {
  readonly api: Api
  readonly model: Model
  readonly requests: Requests
  readonly changed: () => void
  readonly showProblem: (problem: Problem) => void
  /** Changes the rows, and keeps the cursor on its session. */
  readonly keepingPlace: (change: () => void) => void
}

export const makeTableLoader = ({ api, changed, keepingPlace, model, requests, showProblem }: Parts) => {
  const { delayed, request } = requests
  let generation = 0

  const load = (cursor: string | undefined, filter: SessionFilter) => {
    const ownGeneration = (generation += 1)
    model.isLoading = true
    model.rows.expect(filter)
    changed()
    request(
      api.sessions(filter, pageSize, cursor),
      (answer) => {
        if (ownGeneration !== generation) return
        model.isLoading = false
        model.problem = null
        keepingPlace(() => model.rows.page(answer, cursor === undefined))
      },
      (problem) => {
        if (ownGeneration !== generation) return
        model.isLoading = false
        model.problem = problem.detail
        if (model.rows.order.length > 0) showProblem(problem)
      }
    )
  }
  const reload = (filter: SessionFilter = model.rows.filter) => load(undefined, filter)
  const typed = delayed(typedMillis, () => {
    if (model.mode.name === "filter") reload({ ...model.rows.filter, q: model.mode.text })
  })

  return {
    reload,
    /** Loads the next page, where there is one and none is loading. */
    loadMore: () => {
      const { cursor, filter, hasMore } = model.rows
      if (hasMore && !model.isLoading && typeof cursor === "string") load(cursor, filter)
    },
    /** Loads the filter that is being typed, once the typing pauses. */
    filterTyped: typed.restart,
    /** Loads the counts, where the steps that were received leave them uncertain. */
    recount: () => {
      if (!model.rows.tally.isUnsure || model.isLoading) return
      const ownGeneration = generation
      request(
        api.sessions(model.rows.filter, 1),
        (answer) => ownGeneration === generation && model.rows.recounted(answer),
        () => {}
      )
    }
  }
}
