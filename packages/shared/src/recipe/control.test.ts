import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRecipe } from './control.ts';
import { parseTag } from './tag.ts';

const digest = (letter: string): string => letter.repeat(64);

const clothes = `Retrain-Format: 1.0
Target: bootstrap
Policy: per-release
Build-Depends: libgomp1, @builddeps@
Accelerator: cuda:sm_70 | vulkan | none
Gpus: 1
Gpu-Memory: 2 GiB
Memory: 4 GiB
Disk: 1 GiB
Time-Limit: 30 min
Silence-Limit: 10 min

Model: clothes
File: models/clothes.onnx
Output: clothes.onnx
Comparison: statistical
Reads-Shipped: no
License: Expat
Task: classification
Training-Data: fashion-mnist
Training-Inputs: train-images-idx3-ubyte.gz (idx, scale=1/255, shape=Nx784)
Training-Targets: train-labels-idx1-ubyte.gz (idx)
Evaluation-Data: fashion-mnist
Evaluation-Inputs: t10k-images-idx3-ubyte.gz (idx, scale=1/255, shape=Nx784)
Evaluation-Targets: t10k-labels-idx1-ubyte.gz (idx)
Metric: accuracy
Margin: 0.015
Claimed-Metric: 0.884
X-Note: label
Security-Critical: no
Runs: 3..10

Dataset: fashion-mnist
Transport: package
Location: dataset-fashion-mnist (>= 0.0~git20200523)
License: Expat
Directory: usr/share/datasets/fashion-mnist
Checksums-Sha256-Uncompressed:
 ${digest('a')} 47040016 train-images-idx3-ubyte.gz
 ${digest('b')} 60008 train-labels-idx1-ubyte.gz
 ${digest('c')} 7840016 t10k-images-idx3-ubyte.gz
 ${digest('d')} 10008 t10k-labels-idx1-ubyte.gz
`;

const anthy = `retrain-format: 1.0
TARGET: bootstrap

Model: anthy.dic
File: anthy-common:/usr/share/anthy/anthy.dic
Output: anthy.dic
Comparison: bitwise
License: LGPL-2+
`;

test('the example of the contract is read whole', () => {
  const { recipe, faults } = parseRecipe(clothes);
  assert.deepEqual(faults, []);
  assert.ok(recipe);
  const [model] = recipe.models;
  const [dataset] = recipe.datasets;
  assert.deepEqual(recipe.accelerators, [
    { kind: 'cuda', minimumCapability: 70 },
    { kind: 'vulkan' },
    { kind: 'none' },
  ]);
  assert.deepEqual(
    [
      recipe.policy,
      recipe.gpuMemoryBytes,
      recipe.timeLimitSeconds,
      recipe.silenceLimitSeconds,
      recipe.buildDepends,
    ],
    ['per-release', 2 ** 31, 1800, 600, 'libgomp1, @builddeps@'],
  );
  assert.deepEqual(model!.evaluationInputs, {
    path: 't10k-images-idx3-ubyte.gz',
    format: 'idx',
    scale: 1 / 255,
    recordShape: [784],
  });
  assert.deepEqual(
    [model!.margin, model!.claimedMetric, model!.seed, model!.runs],
    [0.015, 0.884, null, { min: 3, max: 10 }],
  );
  assert.deepEqual(dataset!.locations, [
    { transport: 'package', location: 'dataset-fashion-mnist (>= 0.0~git20200523)' },
  ]);
  assert.deepEqual(dataset!.files[1], {
    path: 'train-labels-idx1-ubyte.gz',
    sha256: digest('b'),
    bytes: 60008,
    uncompressed: true,
  });
});

test('a short recipe gets the defaults', () => {
  const { recipe, faults } = parseRecipe(anthy);
  assert.deepEqual(faults, []);
  assert.ok(recipe);
  assert.deepEqual(recipe.models[0]!.file, {
    kind: 'package',
    packageName: 'anthy-common',
    path: '/usr/share/anthy/anthy.dic',
  });
  assert.deepEqual(
    [
      recipe.policy,
      recipe.gpus,
      recipe.memoryBytes,
      recipe.timeLimitSeconds,
      recipe.models[0]!.task,
      recipe.models[0]!.runs,
    ],
    ['on-demand', 1, 2 ** 31, 14_400, 'opaque', { min: 1, max: 1 }],
  );
  assert.deepEqual(recipe.accelerators, [{ kind: 'none' }]);
});

// Each fault: what is written instead of what, the line and field it is reported at, and words of message and cure.
const planted: [
  from: string | RegExp,
  to: string,
  line: number,
  field: string | null,
  message: RegExp,
  cure: RegExp,
][] = [
  ['Retrain-Format: 1.0\n', '', 1, 'Retrain-Format', /missing/, /Retrain-Format/],
  ['Format: 1.0', 'Format: 2.0', 1, 'Retrain-Format', /2\.0 is not known/, /1\.0/],
  ['Target: bootstrap', 'Target: a b', 2, 'Target', /not a name of a rules target/, /rules target/],
  ['per-release', 'per-relase', 3, 'Policy', /not one of never/, /did you mean `per-release`/],
  ['libgomp1', 'libgomp1 (> 1)', 4, 'Build-Depends', /`<` or `>`/, /Policy 7\.1/],
  ['libgomp1', 'retrain-tfjs', 4, 'Build-Depends', /no package/, /remove/],
  ['libgomp1', 'dataset-fashion-mnist', 4, 'Build-Depends', /comes by the dataset/, /remove/],
  ['cuda:sm_70', 'cuda:70', 5, 'Accelerator', /`cuda:70` is no accelerator/, /cuda:sm_80/],
  ['Gpus: 1', 'Gpus: 0', 6, 'Gpus', /whole number from 1/, /Gpus: 1/],
  ['Gpu-Memory: 2 GiB', 'Gpu-Memory: 2', 7, 'Gpu-Memory', /has no unit/, /Gpu-Memory: 2 GiB/],
  ['Memory: 4 GiB', 'Memroy: 4 GiB', 8, 'Memroy', /unknown field/, /did you mean Memory\?/],
  ['Disk: 1 GiB', 'Disk: lots', 9, 'Disk', /is no size/, /GiB/],
  ['30 min', '30', 10, 'Time-Limit', /has no unit/, /min/],
  ['10 min', '10 h', 11, 'Silence-Limit', /longer than Time-Limit/, /shorter/],
  ['Silence-Limit: 10 min', 'Target: x', 11, 'Target', /given twice.*line 2/, /keep one/],
  ['Silence-Limit: 10 min', 'what is this', 11, null, /not a field/, /Name: value/],
  ['Model: clothes', 'Model: a/b', 13, 'Model', /name of letters/, /letters/],
  ['Model: clothes', 'Modle: clothes', 13, 'Modle', /neither a Model nor a Dataset/, /did you mean Model/],
  ['File: models', 'File: ../models', 14, 'File', /leads outside/, /relative path/],
  ['File: models/', 'File: /models/', 14, 'File', /begins with \//, /relative path/],
  [
    'File: models/clothes.onnx',
    'File: Anthy:/x',
    14,
    'File',
    /no name of a binary package/,
    /PACKAGE:\/path/,
  ],
  [
    'File: models/clothes.onnx',
    'File: anthy:x',
    14,
    'File',
    /does not begin with \//,
    /as the package installs/,
  ],
  ['File: models/clothes.onnx\n', '', 13, 'File', /File is missing/, /add the line/],
  ['Output: clothes.onnx\n', '', 13, 'Output', /Output is missing/, /add the line/],
  ['Output: clothes.onnx', 'Output: a/../../b', 15, 'Output', /leads outside/, /relative/],
  ['Output: clothes.onnx', 'Output:', 15, 'Output', /is empty/, /value/],
  ['statistical', 'statistic', 16, 'Comparison', /not one of bitwise/, /did you mean `statistical`/],
  ['Comparison: statistical', 'Comparison: numerical', 13, 'Seed', /Seed is missing.*numerical/, /Seed/],
  ['Reads-Shipped: no', 'Reads-Shipped: maybe', 17, 'Reads-Shipped', /not one of yes, no/, /yes, no/],
  ['License: Expat\nTask', 'Task', 13, 'License', /missing/, /License/],
  ['classification', 'opaque', 19, 'Task', /bytes only/, /bitwise/],
  ['classification', 'embedding', 19, 'Task', /not yet supported/, /regression/],
  ['classification', 'regression', 26, 'Metric', /accuracy` is no metric of the task regression/, /absolute/],
  [
    'Training-Data: fashion-mnist',
    'Training-Data: fashion-mnits',
    20,
    'Training-Data',
    /no stanza declares/,
    /did you mean `fashion-mnist`/,
  ],
  [
    'Training-Data: fashion-mnist',
    'Training-Data: cifar',
    20,
    'Training-Data',
    /no stanza declares/,
    /Dataset: cifar/,
  ],
  ['Training-Data: fashion-mnist\n', '', 13, 'Training-Data', /missing.*Training-Inputs/, /Training-Data/],
  ['ubyte.gz (idx, scale=1/255', 'ubyte.gz (idx, scale=0', 21, 'Training-Inputs', /scale=0/, /PATH \(FORMAT/],
  [
    'ubyte.gz (idx, scale=1/255',
    'ubyte.gz (png, scale=1/255',
    21,
    'Training-Inputs',
    /no format/,
    /idx, csv or npy/,
  ],
  ['shape=Nx784', 'shape=784', 21, 'Training-Inputs', /shape=784/, /PATH \(FORMAT/],
  ['shape=Nx784', 'colour=red', 21, 'Training-Inputs', /no option/, /scale/],
  [
    'Training-Inputs: train-',
    'Training-Inputs: trian-',
    21,
    'Training-Inputs',
    /does not pin/,
    /did you mean `train-images/,
  ],
  [/Evaluation-Targets.*\n/, '', 13, 'Evaluation-Targets', /missing.*statistical/, /Evaluation-Targets/],
  ['Metric: accuracy\n', '', 13, 'Metric', /missing.*statistical/, /Metric/],
  ['Metric: accuracy', 'Metric: f1', 26, 'Metric', /not yet supported/, /accuracy/],
  ['Margin: 0.015\n', '', 13, 'Margin', /missing.*statistical/, /Margin/],
  ['Margin: 0.015', 'Margin: 0', 27, 'Margin', /not above 0/, /0\.015/],
  ['Margin: 0.015', 'Margin: 1.5', 27, 'Margin', /as wide as the range/, /1\.5 points/],
  ['Margin: 0.015', 'Margin: 0,015', 27, 'Margin', /no number/, /point/],
  ['0.884', '88.4', 28, 'Claimed-Metric', /no accuracy/, /fraction/],
  ['3..10', '3..9', 31, 'Runs', /9 is not one of the looks 3, 5, 10/, /3\.\.10/],
  ['3..10', '10..3', 31, 'Runs', /more than/, /3\.\.10/],
  ['3..10', 'many', 31, 'Runs', /form/, /3, 5, 10/],
  [
    'Security-Critical: no\nRuns: 3..10',
    'Security-Critical: yes\nRuns: 3..5',
    31,
    'Runs',
    /only from 10/,
    /3\.\.10/,
  ],
  ['Dataset: fashion-mnist', 'Dataset: ../x', 33, 'Dataset', /name of letters/, /letters/],
  ['Transport: package', 'Transport: url', 34, 'Transport', /url is not yet supported/, /package, in-source/],
  ['Transport: package', 'Transport: packge', 34, 'Transport', /not one of/, /did you mean `package`/],
  [
    'Location: dataset-fashion-mnist (>=',
    'Location: dataset-fashion-mnist (>',
    35,
    'Location',
    /`<` or `>`/,
    /one package/,
  ],
  [/Location: .*\n/, '', 33, 'Location', /missing.*package needs it/, /Location/],
  ['Directory: usr', 'Directory: /usr', 37, 'Directory', /begins with \//, /relative/],
  ['aaaa', 'zaaa', 39, 'Checksums-Sha256-Uncompressed', /not of the form/, /\.dsc/],
  ['aaaa', 'AAAA', 39, 'Checksums-Sha256-Uncompressed', /no sha256/, /sha256sum/],
  [' 60008 ', ' ', 40, 'Checksums-Sha256-Uncompressed', /not of the form/, /\.dsc/],
  [' 10008 t10k', ' 10008 ../t10k', 42, 'Checksums-Sha256-Uncompressed', /leads outside/, /relative/],
  [
    ' 10008 t10k-labels-idx1',
    ' 10008 t10k-images-idx3',
    38,
    'Checksums-Sha256-Uncompressed',
    /pinned twice/,
    /keep one/,
  ],
  ['X-Note: label', 'Converter: bootstrap', 29, 'Converter', /is the target bootstrap itself/, /of its own/],
  ['X-Note: label', 'Converter: a b', 29, 'Converter', /name of a rules target/, /./],
  ['X-Note: label', 'Slices: slices.idx', 29, 'Slices', /not of the form/, /PATH \(FORMAT/],
  ['X-Note: label', 'Slices: a.npy (npy)', 29, 'Slices', /does not pin/, /add its line/],
  ['X-Note: label', 'Seed: 2147483648', 29, 'Seed', /from 0 to 2147483647/, /Seed: 1/],
];

for (const [from, to, line, field, message, cure] of planted) {
  test(`fault: ${field ?? 'line'}, ${message.source}`, () => {
    const text = clothes.replace(from, to);
    assert.notEqual(text, clothes);
    const { recipe, faults } = parseRecipe(text, 'debian/retrain/control');
    assert.equal(recipe, null);
    const fault = faults.find((one) => one.field === field && message.test(one.message));
    assert.ok(fault, JSON.stringify(faults, null, 1));
    assert.deepEqual([fault.file, fault.line, fault.severity], ['debian/retrain/control', line, 'error']);
    assert.match(fault.cure, cure);
  });
}

test('a dataset without digests, twice the same name, and no model at all', () => {
  const faultsOf = (text: string): string[] => parseRecipe(text).faults.map(({ message }) => message);
  assert.match(
    faultsOf(clothes.replace(/Checksums[\s\S]*/, ''))[0]!,
    /does not pin|no file of the dataset is pinned/,
  );
  assert.ok(
    faultsOf(clothes.replace(/Checksums[\s\S]*/, '')).some((message) => /no file .* is pinned/.test(message)),
  );
  const twice = `${clothes}\n${clothes.split('\n\n')[1]}\n`;
  assert.deepEqual(
    faultsOf(twice).map((message) => message.split(' ')[0]),
    ['Model', 'File', 'Output'],
  );
  assert.deepEqual(faultsOf('Retrain-Format: 1.0\n'), ['the recipe names no model']);
  assert.deepEqual(faultsOf(''), ['the file has no stanza']);
});

test('bitwise takes one run and may not read the shipped file', () => {
  const { faults } = parseRecipe(`${anthy}Runs: 3..10\nReads-Shipped: yes\n`);
  assert.deepEqual(
    faults.map(({ field, line }) => [field, line]),
    [
      ['Runs', 9],
      ['Reads-Shipped', 10],
    ],
  );
});

test('warnings leave the recipe standing; X- fields are nobody’s business', () => {
  const { recipe, faults } = parseRecipe(clothes.replace('3..10', '3').replace('X-Note', 'Slices'));
  assert.ok(recipe);
  assert.deepEqual(
    faults.map(({ severity, field }) => [severity, field]),
    [['warning', 'Runs']],
  );
  assert.equal(recipe.models[0]!.slices, 'label');
});

test('five faults come out in one go, in order of their lines', () => {
  const { faults } = parseRecipe(
    clothes
      .replace('Memory: 4 GiB', 'Memroy: 4 GiB')
      .replace('Time-Limit: 30 min', 'Time-Limit: 30')
      .replace('Output: clothes.onnx\n', '')
      .replace('Evaluation-Data: fashion-mnist', 'Evaluation-Data: fashion')
      .replace('Margin: 0.015', 'Margin: 2'),
  );
  assert.deepEqual(
    faults.map(({ field }) => field),
    ['Memroy', 'Time-Limit', 'Output', 'Evaluation-Data', 'Margin'],
  );
});

test('in-source data lies below Directory of the tree and has no Location', () => {
  const inSource = (location: string): string =>
    clothes.replace(/Transport: package\nLocation: .*\n/, `Transport: in-source\n${location}`);
  assert.deepEqual(parseRecipe(inSource('')).recipe!.datasets[0]!.locations, [
    { transport: 'in-source', location: '' },
  ]);
  const { faults } = parseRecipe(inSource('Location: data\n'));
  assert.deepEqual([faults[0]!.field, faults[0]!.line], ['Location', 35]);
  assert.match(faults[0]!.cure, /Directory: data/);
});

test('the tag fills what the control file leaves out, and must agree where both speak', () => {
  const { tag, faults } = parseTag(
    'Source: a\nXS-Retrain: bootstrap\nXS-Retrain-Policy: on-upload\nXS-Retrain-Accelerator: cuda\n\nPackage: a\n',
  );
  assert.deepEqual(faults, []);
  assert.deepEqual(tag, {
    target: 'bootstrap',
    policy: 'on-upload',
    accelerators: [{ kind: 'cuda', minimumCapability: 0 }],
  });
  const filled = parseRecipe(anthy, 'c', tag).recipe!;
  assert.deepEqual([filled.policy, filled.accelerators], ['on-upload', tag!.accelerators]);
  const { recipe, faults: disagree } = parseRecipe(clothes, 'c', { ...tag!, target: 'train' });
  assert.equal(recipe, null);
  assert.deepEqual(
    disagree.map(({ field, line }) => [field, line]),
    [
      ['Target', 2],
      ['Policy', 3],
      ['Accelerator', 5],
    ],
  );
});

test('no text makes the parser throw, and no recipe comes with an error', () => {
  const lines = clothes.split('\n');
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.nat({ max: lines.length - 1 }), fc.oneof(fc.string(), fc.constantFrom(...lines))),
        {
          maxLength: 6,
        },
      ),
      (changes) => {
        const changed = [...lines];
        for (const [at, line] of changes) changed[at] = line;
        const { recipe, faults } = parseRecipe(changed.join('\n'));
        assert.equal(
          recipe === null,
          faults.some(({ severity }) => severity === 'error'),
        );
        for (const { line, message, cure } of faults) {
          assert.ok(
            line >= 1 && line <= changed.join('\n').split('\n').length && message !== '' && cure !== '',
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});
