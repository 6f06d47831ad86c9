/** What the page has to say for a moment, in a corner. */
import { dismiss, toasts } from "../store.ts"

export const Toasts = () => (
  <div class="toasts" role="log" aria-live="polite" aria-label="News">
    {toasts.value.map(({ detail, id, text, tone }) => (
      <div key={id} class={`toast ${tone}`}>
        <div>
          <strong>{text}</strong>
          {detail === undefined ? null : <p>{detail}</p>}
        </div>
        <button type="button" class="icon-button" aria-label="Dismiss" onClick={() => dismiss(id)}>
          ×
        </button>
      </div>
    ))}
  </div>
)
