"""A kernel of one's own in CUDA C++, built by torch when this file is imported: an output element a thread, float32."""

import torch  # noqa: F401  (what is built needs its libraries)
from my_geometry import geometry
from torch.utils.cpp_extension import CUDA_HOME, load_inline

from convcheck import UnavailableError, capabilities

CUDA = r"""
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/types.h>

struct Layer {
  int64_t n, c, h, w, o, oh, ow, kh, kw, groups, sh, sw, ph, pw, dh, dw;
};

__global__ void direct(const float* x, const float* weight, const float* bias, float* y, Layer l) {
  const int64_t outputs = l.n * l.o * l.oh * l.ow;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t at = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; at < outputs; at += step) {
    const int64_t column = at % l.ow, row = at / l.ow % l.oh, o = at / (l.ow * l.oh) % l.o, n = at / (l.ow * l.oh * l.o);
    const int64_t of_group = l.c / l.groups, first = o / (l.o / l.groups) * of_group;
    float sum = 0;
    for (int64_t c = 0; c < of_group; ++c)
      for (int64_t p = 0; p < l.kh; ++p)
        for (int64_t q = 0; q < l.kw; ++q) {
          const int64_t i = row * l.sh - l.ph + p * l.dh, j = column * l.sw - l.pw + q * l.dw;
          if (i >= 0 && i < l.h && j >= 0 && j < l.w)
            sum = fmaf(x[((n * l.c + first + c) * l.h + i) * l.w + j],
                       weight[((o * of_group + c) * l.kh + p) * l.kw + q], sum);
        }
    y[at] = bias ? sum + bias[o] : sum;
  }
}

torch::Tensor conv(torch::Tensor x, torch::Tensor weight, std::optional<torch::Tensor> bias, std::vector<int64_t> s) {
  const c10::cuda::CUDAGuard guard(x.device());
  auto y = torch::empty({x.size(0), weight.size(0), s[0], s[1]}, x.options());
  const int64_t blocks = std::min<int64_t>((y.numel() + 255) / 256, 65535);
  if (blocks == 0) return y;
  const Layer layer{x.size(0), x.size(1), x.size(2), x.size(3), weight.size(0), s[0], s[1], weight.size(2),
                    weight.size(3), s[2], s[3], s[4], s[5], s[6], s[7], s[8]};
  direct<<<blocks, 256, 0, c10::cuda::getCurrentCUDAStream()>>>(
      x.data_ptr<float>(), weight.data_ptr<float>(), bias ? bias->data_ptr<float>() : nullptr, y.data_ptr<float>(), layer);
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return y;
}
"""
if CUDA_HOME is None:
    raise UnavailableError("no CUDA compiler: this torch has no CUDA, or finds no nvcc; install both, or set CUDA_HOME")
built = load_inline(
    "my_cuda_kernel",
    cpp_sources="torch::Tensor conv(torch::Tensor, torch::Tensor, std::optional<torch::Tensor>, std::vector<int64_t>);",
    cuda_sources=CUDA,
    functions=["conv"],
    # what every later architecture runs; to ask the device for its own would start CUDA before a worker is forked
    extra_cuda_cflags=["-gencode=arch=compute_75,code=compute_75"],
)


@capabilities(device="cuda", gradients=False)
def my_conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The signature of `torch.nn.functional.conv2d`, on float32 tensors of a CUDA device."""
    if x.dim() == 3:
        return my_conv(x[None], weight, bias, stride, padding, dilation, groups)[0]
    (oh, ow), (sh, sw), (ph, pw), (dh, dw) = geometry(x, weight, bias, stride, padding, dilation, groups)
    x, weight, bias = (t if t is None else t.contiguous() for t in (x, weight, bias))
    return built.conv(x, weight, bias, [oh, ow, groups, sh, sw, ph, pw, dh, dw])
