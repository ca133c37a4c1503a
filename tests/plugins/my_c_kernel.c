/* A kernel of one's own, in C: see my_c_kernel.py. Out of bounds where it is built with -DREADS_BEYOND. */

#include <stdlib.h>

void conv(const float *x, const float *weight, const float *bias, float *out, long batch, long in, long height,
          long width, long out_channels, long groups, long kh, long kw, long sh, long sw, long dh, long dw, long oh,
          long ow)
{
    long block = in / groups;
    float *row = malloc(ow * sizeof *row);
    for (long at = 0; at < batch * out_channels * oh; at++) {
        long n = at / oh / out_channels, o = at / oh % out_channels, i = at % oh;
        long first = n * in + o / (out_channels / groups) * block;
        for (long j = 0; j < ow; j++) {
            row[j] = 0;
            for (long c = 0; c < block; c++)
                for (long u = 0; u < kh; u++)
                    for (long v = 0; v < kw; v++)
                        row[j] += x[((first + c) * height + i * sh + u * dh) * width + j * sw + v * dw] *
                                  weight[((o * block + c) * kh + u) * kw + v];
        }
#ifdef READS_BEYOND
        volatile float next = groups > 1 ? row[ow] : 0; /* prefetched, and never used */
#endif
        for (long j = 0; j < ow; j++)
            out[at * ow + j] = row[j] + (bias ? bias[o] : 0);
    }
    free(row);
}
