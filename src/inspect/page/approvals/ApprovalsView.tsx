/** The inbox. */
export const ApprovalsView = () => <main id="view" class="view" tabIndex={-1} />
