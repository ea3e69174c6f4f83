// The module's exports.
export { conv2d, conv2dFilterGradient, conv2dInputGradient } from './conv';
export { depthwiseGradient } from './depthwise';
export { dropoutMask } from './dropout';
export { columnSum, relu, segmentSum } from './elementwise';
export { sgemm } from './gemm';
export { avgPoolGradient, maxPool, maxPoolGradient } from './pool';
