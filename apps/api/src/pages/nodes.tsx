/** @jsxRuntime automatic */
/** @jsxImportSource preact */
// The machines of the farm.
import type { Node } from '@retraind/shared/wire/node';
import { renderPage } from './layout.tsx';
import { NodesTable } from './lists.tsx';

export const nodesPage = (nodes: Node[]): string =>
  renderPage({
    title: 'Nodes',
    children: (
      <>
        <h1>Nodes</h1>
        <NodesTable nodes={nodes} />
      </>
    ),
  });
