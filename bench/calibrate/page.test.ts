import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withSection } from './page.ts';

const page = `# Page

<!-- calibrate a: begin -->

old a

<!-- calibrate a: end -->

<!-- calibrate b: begin -->
<!-- calibrate b: end -->
`;

test('a run rewrites its own section and nothing else', () => {
  const once = withSection(page, 'b', '## b\n');
  assert.equal(once, page.replace('b: begin -->\n<!--', 'b: begin -->\n\n## b\n\n<!--'));
  assert.equal(withSection(withSection(once, 'a', 'new a'), 'a', 'old a'), once);
});

test('a page without the section is refused', () => {
  assert.throws(() => withSection(page, 'c', 'x'), /no section between '<!-- calibrate c: begin -->'/);
});
