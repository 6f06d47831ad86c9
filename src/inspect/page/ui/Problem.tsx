/** A problem as the server said it, and what there is to do. */
import type { Problem } from "../../client/api.ts"

export const ProblemBox = ({ onRetry, problem }: { readonly problem: Problem; readonly onRetry?: () => void }) => (
  <div class="problem" role="alert">
    <strong>{problem.title}</strong>
    <p>{problem.detail}</p>
    {problem.reasons === undefined ? null : (
      <ul>
        {problem.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    )}
    <p class="problem-code">
      <code>{problem.error}</code>
      {problem.status === 0 ? null : ` · ${problem.status}`}
      {problem.request_id === undefined ? null : (
        <>
          {" · request "}
          <code>{problem.request_id}</code>
        </>
      )}
    </p>
    {onRetry === undefined ? null : (
      <button type="button" class="button" onClick={onRetry}>
        Try again
      </button>
    )}
  </div>
)
