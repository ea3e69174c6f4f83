// Compiled into the binding before each of its files (g++ -include): every session leaves a graph as it was written.
// tfjs-node makes its sessions with TensorFlow's defaults, under which the optimizer of graphs (grappler) turns x / sqrt(y)
// into x * rsqrt(y), sums into other sums and so on: other bits than the same operations one by one. A compiled step
// (packages/pipeline/src/step/tensorflow) gains nothing from it, and takes twice as long to make.
#ifndef RETRAIN_SESSION_OPTIONS_H_
#define RETRAIN_SESSION_OPTIONS_H_

#include "tensorflow/c/c_api.h"

namespace retrain {

inline TF_SessionOptions* NewSessionOptions() {
  // ConfigProto { graph_options { rewrite_options { disable_meta_optimizer: true } } }: fields 10, 10 and 19.
  static const unsigned char kConfig[] = {0x52, 5, 0x52, 3, 0x98, 1, 1};
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_Status* status = TF_NewStatus();
  TF_SetConfig(options, kConfig, sizeof(kConfig), status);
  TF_DeleteStatus(status);
  return options;
}

}  // namespace retrain

#define TF_NewSessionOptions retrain::NewSessionOptions

#endif  // RETRAIN_SESSION_OPTIONS_H_
