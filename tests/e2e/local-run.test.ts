// The whole job at home, on recipes that go well, go wrong, or cheat. Real sandbox, real make; the models are some bytes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { LocalJobEvent } from '../../apps/worker/src/local-job.ts';
import { job, refusal, room } from '../support/local-job.ts';
import { type SourceTreeParts, sha256, shippedBytes, writeSourceTree } from '../support/source-tree.ts';

/** The broken outcome of a job that must break. */
const breakage = async (parts: SourceTreeParts) => {
  const { result, log } = await job(parts);
  assert.ok(
    result.broken,
    `did not break: ${JSON.stringify(result.verdicts.map(({ sentence }) => sentence))}`,
  );
  assert.deepEqual(result.verdicts, []);
  return { ...result.broken, log };
};

suite('a job at home', { skip: refusal }, () => {
  test('a bitwise recipe without data is bit-identical, unchecked whether data matters, and leaves records', async () => {
    const toy = writeSourceTree(join(room, 'private'), {});
    chmodSync(toy, 0o700);
    const { result, log, events } = await job(toy);
    assert.equal(result.verdicts[0]!.rung, 'bit-identical');
    assert.deepEqual(result.verdicts[0]!.taints, ['dependence-unchecked', 'host-root']);
    assert.match(
      result.verdicts[0]!.dependence!.why,
      /No records can be withheld: the recipe declares no data/,
    );
    // The dependence run ended before it trained, and is no fault of the job.
    assert.deepEqual(
      result.runs.map(({ place, outcome }) => [place.purpose, outcome.kind]),
      [
        ['retrain', 'reported'],
        ['dependence', 'broken'],
      ],
    );
    assert.equal(result.broken, null);
    const outcome = result.runs[0]!.outcome;
    assert.equal(outcome.kind, 'reported');
    if (outcome.kind !== 'reported') return;
    assert.deepEqual(outcome.taints, ['host-root']);
    assert.equal(outcome.outputs[0]!.evidence.file.sha256, sha256(shippedBytes));
    const record = readFileSync(
      join(
        result.folder,
        'artifacts/sha256',
        outcome.retraininfoSha256.slice(0, 2),
        outcome.retraininfoSha256,
      ),
      'utf8',
    );
    assert.match(record, /^Source: toy$/m);
    assert.match(record, /^Build-Path: \/build\/reproducible-path\/toy-1.0$/m);
    assert.match(record, /^Build-Tainted-By:\n host-root$/m);
    assert.match(log, /taken out: models\/toy.bin/);
    assert.deepEqual(
      [...new Set(events.flatMap((event) => (event.kind === 'step' ? [event.step] : [])))],
      ['fetch', 'unpack', 'train', 'evaluate', 'pack', 'report'],
    );
    assert.deepEqual(readdirSync(join(result.folder, 'runs/1')).sort(), ['log', 'place.json', 'report.json']);
  });

  test('other bytes: a rerun of the same seed tells a changed source from a recipe that is not deterministic', async () => {
    const other = await job({ train: ['echo other > "$RETRAIN_OUT/toy.bin"'] });
    assert.equal(other.result.verdicts[0]!.rung, 'different');
    assert.deepEqual(
      other.result.runs.map(({ place }) => [place.purpose, place.seedIndex]),
      [
        ['retrain', 1],
        ['rerun', 1],
      ],
    );
    const unsteady = await job({ train: ['head -c 16 /dev/urandom > "$RETRAIN_OUT/toy.bin"'] });
    assert.equal(unsteady.result.verdicts[0]!.rung, 'inconclusive');
  });

  test('the target sees the environment of the contract and fixed paths', async () => {
    const { log } = await job(
      {
        train: [
          'env',
          'pwd',
          'id -u',
          'ls -A "$HOME" "$RETRAIN_OUT"',
          'retrain-tfjs || true',
          `printf '%s\\n' '${shippedBytes.trim()}' > "$RETRAIN_OUT/toy.bin"`,
        ],
      },
      { seed: '7' },
    );
    for (const line of [
      'RETRAIN_SEED=1406334332',
      'RETRAIN_DATA=/build/data',
      'RETRAIN_OUT=/build/out',
      'RETRAIN_NUMERICS=0',
      'SOURCE_DATE_EPOCH=1767225600',
      'LC_ALL=C.UTF-8',
      'TZ=UTC',
      'HOME=/build/home',
      '/build/reproducible-path/toy-1.0',
    ]) {
      assert.ok(log.includes(`\n${line}\n`), `the log lacks ${line}:\n${log}`);
    }
    assert.match(log, /usage: retrain-tfjs/);
    assert.doesNotMatch(log, /RETRAIND_|npm_/);
  });

  test('a target that fails is the recipe’s fault', async () => {
    const { blame, step, code, detail, log } = await breakage({ train: ['echo no luck', 'exit 3'] });
    assert.deepEqual([blame, step, code], ['recipe', 'train', 'recipe-failed']);
    assert.match(detail, /target bootstrap of debian\/rules failed with status 2/);
    assert.match(log, /no luck/);
  });

  test('a target that hangs ends at its Silence-Limit', async () => {
    const { blame, detail, hint } = await breakage({
      head: { 'Silence-Limit': '1 s' },
      train: ['sleep 1000'],
    });
    assert.equal(blame, 'recipe');
    assert.match(detail, /silent for 1 s/);
    assert.match(hint!, /Silence-Limit/);
  });

  test('a target that writes nothing is not a success', async () => {
    const { blame, detail } = await breakage({ train: ['true'] });
    assert.equal(blame, 'recipe');
    assert.match(detail, /left no toy.bin in \$RETRAIN_OUT \(model toy\)/);
  });

  test('a huge log ends the run and is cut', async () => {
    const { blame, detail } = await breakage({ train: ['yes'] });
    assert.equal(blame, 'recipe');
    assert.match(detail, /more than 16777216 bytes of log/);
  });

  test('a full disk quota ends the run', async () => {
    const { blame, detail, hint } = await breakage({
      head: { Disk: '2 MiB' },
      train: ['cat /dev/zero > big || true', 'sleep 5'],
    });
    assert.equal(blame, 'recipe');
    assert.match(detail, /more than 2097152 bytes to the disk/);
    assert.match(hint!, /Raise Disk/);
  });

  test('"try elsewhere" is the node’s, not the recipe’s', async () => {
    const { blame, detail } = await breakage({
      train: [`echo '{"tempfail": "the device is gone"}' >> "$RETRAIN_METRICS"`, 'exit 1'],
    });
    assert.equal(blame, 'node');
    assert.match(detail, /tried elsewhere: the device is gone/);
  });

  test('a recipe that copies what it should retrain fails, wherever the copy lies', async () => {
    const twins = {
      'old/copy.bin': shippedBytes,
      'old/copy.bin.gz': gzipSync(shippedBytes),
      'old/copy.bin.xz': execFileSync('xz', ['-c'], { input: shippedBytes }),
      '.git/objects/model': shippedBytes,
    };
    const pins = Object.entries({ 'data/rows': 'rows\n', 'data/model': shippedBytes }).map(
      ([path, bytes]) => ` ${sha256(bytes)} ${bytes.length} ${path}\n`,
    );
    const from = (path: string): SourceTreeParts => ({
      train: [
        `case "${path}" in *.gz) gzip -dc;; *.xz) xz -dc;; *) cat;; esac < "${path}" > "$RETRAIN_OUT/toy.bin"`,
      ],
      files: { ...twins, 'data/rows': 'rows\n', 'data/model': shippedBytes },
      more: `Dataset: own\nTransport: in-source\nLicense: Expat\nChecksums-Sha256:\n${pins.join('')}`,
    });
    for (const path of [
      'models/toy.bin',
      ...Object.keys(twins),
      '$RETRAIN_DATA/own/data/model',
      '/build/source/toy.dsc',
    ]) {
      const { blame, step, hint } = await breakage(from(path));
      assert.deepEqual([blame, step], ['recipe', 'train'], path);
      assert.match(hint!, /a retrain may not copy them/);
    }
    assert.equal((await job(from('$RETRAIN_DATA/own/data/rows'))).result.verdicts[0]!.rung, 'different');
  });

  test('Reads-Shipped leaves the file there, taints the record, and is never bit-identical', async () => {
    const tiny = join(room, 'tiny');
    cpSync(fileURLToPath(new URL('../../examples/tiny', import.meta.url)), tiny, { recursive: true });
    const control = readFileSync(join(tiny, 'debian/retrain/control'), 'utf8');
    writeFileSync(
      join(tiny, 'debian/retrain/control'),
      control.replace('Output: ', 'Reads-Shipped: yes\nOutput: '),
    );
    const rules =
      '#!/usr/bin/make -f\n.PHONY: bootstrap\nbootstrap:\n\tcp models/tiny.onnx "$$RETRAIN_OUT/"\n';
    writeFileSync(join(tiny, 'debian/rules'), rules);
    const { result } = await job(tiny, { runs: 1 });
    assert.equal(result.verdicts[0]?.rung, 'not-verifiable', JSON.stringify(result.broken));
    assert.deepEqual(result.verdicts[0]!.taints, ['host-root', 'reads-shipped']);
    // The evaluator saw the very same file twice: same numbers, on every set.
    const { outcome } = result.runs[0]!;
    assert.equal(outcome.kind, 'reported');
    if (outcome.kind !== 'reported') return;
    assert.deepEqual(outcome.outputs[0]!.evidence, outcome.references[0]!.evidence);
    assert.deepEqual(Object.keys(outcome.outputs[0]!.evidence.sets), [
      'test',
      'train',
      'noise',
      'patch',
      'mix',
    ]);
    assert.ok(outcome.outputs[0]!.evidence.metric!.value > 0.8);
  });

  test('an output that is a link to a file of this machine is refused', async () => {
    const secret = join(room, 'secret');
    writeFileSync(secret, 'secret');
    const { blame, detail } = await breakage({ train: [`ln -s ${secret} "$RETRAIN_OUT/toy.bin"`] });
    assert.equal(blame, 'recipe');
    assert.match(detail, /leads out of its folder/);
  });

  test('data with another digest: the data is to blame, the file is named', async () => {
    const more = `Dataset: own\nTransport: in-source\nLicense: Expat\nDirectory: data\nChecksums-Sha256:\n ${sha256('rows\n')} 5 rows\n`;
    const { blame, step, code, detail } = await breakage({ files: { 'data/rows': 'ROWS\n' }, more });
    assert.deepEqual([blame, step, code], ['data', 'unpack', 'digest-mismatch']);
    assert.match(
      detail,
      /Dataset own, rows: the recipe pins 5 bytes of sha256 [0-9a-f]{64}, there are 5 bytes/,
    );
  });

  test('a package that is not installed is a wait, with the line to type', async () => {
    const { code, detail, hint } = await breakage({
      head: { 'Build-Depends': 'make, libno-such-thing-dev (>= 2)' },
    });
    assert.equal(code, 'dep-wait');
    assert.match(detail, /lacks libno-such-thing-dev \(>= 2\)/);
    assert.match(hint!, /apt-get install .*libno-such-thing-dev/);
  });

  test('a file named as the target, and a target that is not phony', async () => {
    const rules = '#!/usr/bin/make -f\nbootstrap:\n\techo never\n';
    const { blame, code, detail } = await breakage({ rules, files: { bootstrap: '' } });
    assert.deepEqual([blame, code], ['recipe', 'invalid-recipe']);
    assert.match(detail, /file named bootstrap/);
    assert.equal((await job({ files: { bootstrap: '' } })).result.verdicts[0]!.rung, 'bit-identical');
  });

  test('all faults of a recipe are told together', async () => {
    const { code, detail } = await breakage({
      head: { Memory: '512', Colour: 'red' },
      model: { License: '' },
    });
    assert.equal(code, 'invalid-recipe');
    for (const part of ['3 faults', 'Memory', 'Colour', 'License']) assert.match(detail, new RegExp(part));
  });

  test('no shipped file where File says: the recipe names it', async () => {
    const { code, detail } = await breakage({ model: { File: 'models/other.bin' } });
    assert.equal(code, 'invalid-recipe');
    assert.match(detail, /the source tree has no models\/other.bin/);
  });

  test('an output that should be ONNX and is a pickle', async () => {
    const { blame, code, step, detail } = await breakage({
      model: { Output: 'toy.onnx' },
      train: [`printf '\\200\\004\\225' > "$RETRAIN_OUT/toy.onnx"`],
    });
    assert.deepEqual([blame, step, code], ['recipe', 'evaluate', 'invalid-model']);
    assert.match(detail, /toy.onnx cannot be read: it is a Python pickle/);
  });

  test('a .dsc is unpacked in the sandbox; a broken one says which file', {
    skip: existsSync('/usr/bin/dpkg-source') ? false : 'dpkg-source is not installed',
  }, async () => {
    const at = join(room, 'dsc');
    mkdirSync(at);
    writeSourceTree(join(at, 'toy-1.0'));
    execFileSync('dpkg-source', ['-b', 'toy-1.0'], { cwd: at, stdio: 'ignore' });
    const dsc = join(at, 'toy_1.0.dsc');
    const { result } = await job(dsc);
    assert.equal(result.verdicts[0]?.rung, 'bit-identical', JSON.stringify(result.broken));
    writeFileSync(join(at, 'toy_1.0.tar.xz'), 'cut');
    const cut = await job(dsc);
    assert.equal(cut.result.broken?.code, 'digest-mismatch');
    assert.match(cut.result.broken!.detail, /toy_1.0.tar.xz/);
  });

  test('an overlay serves a package without a recipe, and no other', async () => {
    const overlays = join(room, 'overlays');
    const at = writeSourceTree(join(overlays, 'toy'));
    writeFileSync(join(at, 'debian/retrain/rules'), readFileSync(join(at, 'debian/rules')), { mode: 0o755 });
    const bare = writeSourceTree(join(room, 'bare'), { rules: '#!/usr/bin/make -f\n%:\n\tfalse\n' });
    rmSync(join(bare, 'debian/retrain'), { recursive: true });
    const { result, log } = await job(bare, { overlays });
    assert.equal(result.verdicts[0]?.rung, 'bit-identical', JSON.stringify(result.broken));
    assert.match(log, /debian\/retrain\/rules bootstrap/);
    const own = await job({ train: ['echo other > "$RETRAIN_OUT/toy.bin"'] }, { overlays });
    assert.equal(own.result.verdicts[0]!.rung, 'different');
  });

  test('an interrupted job goes on with what was reported; a finished one is made anew', async () => {
    const at = writeSourceTree(join(room, 'cut', 'toy'), {
      train: ['echo other > "$RETRAIN_OUT/toy.bin"'],
    });
    const stop = new AbortController();
    const options = { resultsFolder: join(room, 'cut', 'results'), parallel: 1 };
    await assert.rejects(
      job(at, {
        ...options,
        signal: stop.signal,
        onEvent: (event) => {
          if (event.kind === 'run-started' && event.run === 2) stop.abort(new Error('cut off'));
        },
      }),
      /cut off/,
    );
    const kept = (events: LocalJobEvent[]) =>
      events.flatMap((event) => (event.kind === 'run-ended' ? [event.kept] : []));
    assert.deepEqual(kept((await job(at, options)).events), [true, false]);
    assert.deepEqual(kept((await job(at, options)).events), [false, false]);
  });

  test('a second run on the same results is told so', async () => {
    // The first holds the folder until the second has been told.
    const at = writeSourceTree(join(room, 'twice', 'toy'), { train: ['exec sleep 600'] });
    const resultsFolder = join(room, 'twice', 'results');
    const stop = new AbortController();
    let second: Promise<unknown> | null = null;
    const first = job(at, {
      resultsFolder,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind !== 'run-started') return;
        second ??= assert
          .rejects(job(at, { resultsFolder }), { code: 'already-running', hint: /--results/ })
          .finally(() => stop.abort(new Error('seen')));
      },
    });
    await assert.rejects(first, /seen/);
    await second;
  });

  test('a link in the tree that leads out of it is not followed', async () => {
    const at = writeSourceTree(join(room, 'links', 'toy'));
    rmSync(join(at, 'debian/retrain/control'));
    symlinkSync('/etc/passwd', join(at, 'debian/retrain/control'));
    const { result } = await job(at);
    assert.match(result.broken!.detail, /leads out of its folder/);
  });
});

test('without a sandbox every record is tainted', async () => {
  const { result } = await job({}, { sandbox: 'none' });
  assert.deepEqual(result.verdicts[0]!.taints, ['dependence-unchecked', 'unsandboxed']);
  assert.equal(result.verdicts[0]!.rung, 'bit-identical');
});

test('no such source', async () => {
  await assert.rejects(job(join(room, 'nowhere')), { code: 'not-found' });
});
