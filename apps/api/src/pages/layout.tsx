/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// The frame of every page. Rendered to a string on the server: Preact escapes all text, so names and logs of a hostile
// package stay text. Pages need no script, and no host but this one (see security-headers).
import type { ComponentChildren, VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';

interface LayoutProps {
  title: string;
  /** Where this page lies, from the root: links before the heading. */
  trail?: { name: string; href: string }[];
  /** Name of a script in public/ that betters the page where scripts run. */
  script?: string;
  children: ComponentChildren;
}

function Layout({ title, trail = [], script, children }: LayoutProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · Retraind`}</title>
        <link rel="stylesheet" href="/public/retraind.css" />
        <link rel="icon" href="/public/icon.svg" type="image/svg+xml" />
        {script && <script src={`/public/${script}`} type="module" />}
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header>
          <a class="brand" href="/">
            <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
              <path class="mark" d="M26 16a10 10 0 1 1-4-8" />
              <path class="mark" d="M22 2v7h-7" />
              <circle class="dot" cx="16" cy="16" r="3" />
            </svg>
            Retraind
          </a>
          <nav aria-label="Site">
            <a href="/">Packages</a>
            <a href="/jobs">Jobs</a>
            <a href="/releases">Releases</a>
            <a href="/ledger">Ledger</a>
            <a href="/nodes">Nodes</a>
            <a href="/openapi.json">API</a>
          </nav>
        </header>
        <main id="main">
          {trail.length > 0 && (
            <nav class="trail" aria-label="Where this page lies">
              {trail.map(({ name, href }) => (
                <a href={href}>{name}</a>
              ))}
            </nav>
          )}
          {children}
        </main>
        <footer>
          No test on data excludes a backdoor with a rare trigger. A bit-identical retrain, or shipping the
          farm's own weights, does. Records are <em>unsigned</em> so far.
        </footer>
      </body>
    </html>
  );
}

/** A whole document. */
export const renderPage = (props: LayoutProps): string =>
  `<!doctype html>${renderToString((<Layout {...props} />) as VNode)}`;
