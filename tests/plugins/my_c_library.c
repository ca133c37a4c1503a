/* A kernel of one's own in C, with the signature of convcheck.c_backend: see my_c_library.py. */

#include <stdint.h>

struct conv2d_sizes {
    int64_t batch, in_channels, height, width, out_channels, kernel_height, kernel_width;
    int64_t stride_height, stride_width, padding_top, padding_bottom, padding_left, padding_right;
    int64_t dilation_height, dilation_width, groups, out_height, out_width;
};

#ifndef PADDING_OF_COLUMNS
#define PADDING_OF_COLUMNS padding_left
#endif

#define CONV(name, number)                                                                                             \
    int name(const number *x, const number *weight, const number *bias, number *out, const struct conv2d_sizes *s)     \
    {                                                                                                                  \
        int64_t block = s->in_channels / s->groups, filters = s->out_channels / s->groups;                             \
        if (s->kernel_height > 64 || s->kernel_width > 64)                                                             \
            return 1; /* not supported, which my_c_library.py declares */                                              \
        for (int64_t n = 0; n < s->batch; n++)                                                                         \
            for (int64_t o = 0; o < s->out_channels; o++)                                                              \
                for (int64_t i = 0; i < s->out_height; i++)                                                            \
                    for (int64_t j = 0; j < s->out_width; j++) {                                                       \
                        number sum = 0;                                                                                \
                        for (int64_t c = 0; c < block; c++)                                                            \
                            for (int64_t u = 0; u < s->kernel_height; u++)                                             \
                                for (int64_t v = 0; v < s->kernel_width; v++) {                                        \
                                    int64_t row = i * s->stride_height + u * s->dilation_height - s->padding_top;      \
                                    int64_t col = j * s->stride_width + v * s->dilation_width - s->PADDING_OF_COLUMNS; \
                                    int64_t channel = n * s->in_channels + o / filters * block + c;                    \
                                    int64_t tap = ((o * block + c) * s->kernel_height + u) * s->kernel_width + v;      \
                                    if (row >= 0 && row < s->height && col >= 0 && col < s->width)                     \
                                        sum += x[(channel * s->height + row) * s->width + col] * weight[tap];          \
                                }                                                                                      \
                        out[((n * s->out_channels + o) * s->out_height + i) * s->out_width + j] =                      \
                            sum + (bias ? bias[o] : 0);                                                                \
                    }                                                                                                  \
        return 0;                                                                                                      \
    }

CONV(conv2d_float, float)
CONV(conv2d_double, double)
