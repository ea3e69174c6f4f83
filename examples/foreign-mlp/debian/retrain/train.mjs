// The documented training of the Fashion-MNIST classifier of github.com/bstollnitz/fashion-mnist (managed-endpoint/pytorch-src):
// 784-20-10, ReLU, cross entropy, plain SGD at 0.1, batches of 64 in a new order each epoch, five epochs, no seed.
// It was trained with PyTorch, whose linear layers start otherwise than those of retrain-tfjs: weights and biases alike from
// U(-b, b), b = 1 / sqrt(inputs of the layer). Source: torch.nn.Linear.
import {
  accuracy,
  dense,
  fit,
  generator,
  inputs,
  labels,
  optimizer,
  readIdx,
  run,
  saveOnnx,
  tf,
} from 'retrain-tfjs';

const images = inputs(await readIdx('fashion-mnist/train-images-idx3-ubyte.gz'), { scale: 1 / 255 });
const kinds = labels(await readIdx('fashion-mnist/train-labels-idx1-ubyte.gz'), { classes: 10 });

const net = (last) => tf.sequential({ layers: [dense(20, 'relu', { inputs: 784 }), dense(10, last)] });

const model = net('softmax');
for (const [place, layer] of model.layers.entries()) {
  const next = generator(run.seed, `start of layer ${place}`);
  const [kernel] = layer.getWeights();
  const bound = 1 / Math.sqrt(kernel.shape[0]);
  const drawn = ({ shape, size }) =>
    tf.tensor(
      Float32Array.from({ length: size }, () => bound * (2 * next() - 1)),
      shape,
    );
  layer.setWeights(layer.getWeights().map(drawn));
}

await fit(model, {
  inputs: images,
  labels: kinds,
  optimizer: optimizer('sgd', 0.1),
  batchSize: 64,
  epochs: 5,
});
console.log(`accuracy on the training set: ${(await accuracy(model, images, kinds)).toFixed(4)}`);

// Published with logits for outputs: the same weights without the softmax.
const published = net('linear');
published.setWeights(model.getWeights());
await saveOnnx(published, 'fashion-mlp.onnx');
