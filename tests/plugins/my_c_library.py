"""A kernel of one's own in a shared library: convcheck run --backend my_c_library.py:my_conv

cc -O2 -shared -fPIC my_c_library.c -o my_c_library.so
"""

import convcheck

my_conv = convcheck.c_backend(
    "my_c_library.so",
    symbol={"float32": "conv2d_float", "float64": "conv2d_double"},
    excludes=("kernel_h > 64 or kernel_w > 64",),
)
