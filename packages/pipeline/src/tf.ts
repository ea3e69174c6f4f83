// TensorFlow.js as a recipe sees it: core and layers under one name, as in the package `@tensorflow/tfjs`.
export * from '@tensorflow/tfjs-core';
export * from '@tensorflow/tfjs-layers';
