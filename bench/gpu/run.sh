#!/bin/sh
# The suite and the benchmark on this machine, with what lies beside this file and nothing else.
here=$(dirname "$(readlink -f "$0")")
export RETRAIN_WEBGPU="$here/lib/dawn.node"
if [ -f "$here/tensorflow/manifest.json" ]; then export RETRAIN_TFJS_NODE="$here/tensorflow"; fi
# The machine's own Vulkan loader where it has one.
if ! /sbin/ldconfig -p 2>/dev/null | grep -q libvulkan.so.1; then
  export LD_LIBRARY_PATH="$here/lib/vulkan${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
# A container often has NVIDIA's driver without the file that names it to Vulkan.
if [ -z "$(ls /usr/share/vulkan/icd.d/nvidia* /etc/vulkan/icd.d/nvidia* 2>/dev/null)" ]; then
  export VK_ADD_DRIVER_FILES="$here/lib/vulkan/nvidia_icd.json"
fi
exec "$here/bin/node" "$here/lib/gpu.mjs" "$@"
