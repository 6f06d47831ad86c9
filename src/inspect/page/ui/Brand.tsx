export const Brand = () => (
  <svg viewBox="0 0 16 16" width="20" height="20" aria-hidden="true">
    <rect width="16" height="16" rx="4" fill="currentColor" />
    <circle cx="5" cy="5.4" r="1.9" fill="#fff" />
    <circle cx="11" cy="5.4" r="1.9" fill="#fff" fill-opacity=".6" />
    <path d="M3.5 10.2h9" stroke="#fff" stroke-width="1.8" stroke-linecap="round" />
  </svg>
)
