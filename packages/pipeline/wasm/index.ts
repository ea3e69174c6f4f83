// The module's exports.
export { conv2d, conv2dFilterGradient, conv2dInputGradient } from './conv';
export { columnSum, relu } from './elementwise';
export { sgemm } from './gemm';
export { maxPool, maxPoolGradient } from './pool';
