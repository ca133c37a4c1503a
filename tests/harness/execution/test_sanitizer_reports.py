"""Recorded output of AddressSanitizer and of compute-sanitizer's tools, read as lines that are the same in every run."""

import pytest

from convcheck.execution.sanitizer_reports import reports
from convcheck.model.sanitizers import Sanitizer

ASAN = """\
=================================================================
==29068==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x60200002de1c at pc 0x7fe82c306259 bp 0x7ffe512cfd40
READ of size 4 at 0x60200002de1c thread T0
    #0 0x7fe82c306258 in conv /home/me/kernels/kernel.c:12
    #1 0x7fe82d1faf79  (/lib/x86_64-linux-gnu/libffi.so.8+0x6f79)

0x60200002de1c is located 0 bytes to the right of 12-byte region [0x60200002de10,0x60200002de1c)
allocated by thread T0 here:
    #0 0x7fe82d2b89cf in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:69

SUMMARY: AddressSanitizer: heap-buffer-overflow /home/me/kernels/kernel.c:12 in conv
==29068==ABORTING
"""

ASAN_IN_MEMCPY = """\
==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x60200000525c at pc 0x7f1d8a048061 bp 0x7ffe486bf120
WRITE of size 16 at 0x60200000525c thread T0
    #0 0x7f1d8a048060 in __interceptor_memcpy ../../../../src/libsanitizer/sanitizer_common_interceptors.inc:827
    #1 0x7f1d877641a7 in im2col /home/me/kernels/kernel.c:3

0x60200000525c is located 0 bytes after 12-byte region [0x602000005250,0x60200000525c)
"""

ASAN_SEGV = """\
==7==ERROR: AddressSanitizer: SEGV on unknown address 0x000000000000 (pc 0x7f2f0 bp 0x7ffd sp 0x7ffd T0)
==7==The signal is caused by a READ memory access.
    #0 0x7f2f0 in conv (/home/me/kernels/kernel.so+0x1139)
"""

MEMCHECK = """\
========= COMPUTE-SANITIZER
========= Invalid __global__ write of size 4 bytes
=========     at conv_kernel(float *, const float *, int)+0x70 in conv.cu:41
=========     by thread (31,0,0) in block (1,0,0)
=========     Access at 0x503600080 is out of bounds
=========     and is 1 bytes after the nearest allocation at 0x503600000 of size 128 bytes
=========     Saved host backtrace up to driver entry point at kernel launch time
=========         Host Frame: main [0xacd4] in python3
=========
========= Invalid __global__ write of size 4 bytes
=========     at conv_kernel(float *, const float *, int)+0x70 in conv.cu:41
=========     by thread (30,0,0) in block (1,0,0)
=========     Access at 0x503600080 is out of bounds
=========     and is 1 bytes after the nearest allocation at 0x503600000 of size 128 bytes
=========
========= Program hit cudaErrorLaunchFailure (error 719) due to "unspecified launch failure" on CUDA API call to cudaMemcpy.
=========     Saved host backtrace up to driver entry point at error
=========         Host Frame: main [0xacd4] in python3
=========
========= ERROR SUMMARY: 3 errors
"""

MEMCHECK_OF_CUDA_11 = """\
========= COMPUTE-SANITIZER
========= Invalid __global__ read of size 4 bytes
=========     at 0x150 in /home/me/kernels/conv.cu:12:conv_kernel(float*, int)
=========     by thread (0,0,0) in block (1,0,0)
=========     Address 0x7f6510c00001 is misaligned
=========
========= ERROR SUMMARY: 1 error
"""

RACECHECK = """\
========= COMPUTE-SANITIZER
========= Error: Race reported between Write access at conv_kernel(float *)+0x90 in /home/me/kernels/conv.cu:41
=========     and Read access at conv_kernel(float *)+0x100 in /home/me/kernels/conv.cu:51 [508 hazards]
=========
========= Warning: Race reported between Read access at conv_kernel(float *)+0x260
=========     and Write access at conv_kernel(float *)+0x200 [12 hazards]
=========
========= RACECHECK SUMMARY: 2 hazards displayed (1 error, 1 warning)
"""

RACECHECK_HAZARD = """\
========= Error: Potential WAR hazard detected at __shared__ 0x0 in block (0,0,0) :
=========     Read Thread (0,0,0) at conv_kernel(float *)+0x90 in conv.cu:41
=========     Write Thread (32,0,0) at conv_kernel(float *)+0x100 in conv.cu:51
=========     Current Value : 0, Incoming Value : 1
=========
========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)
"""

INITCHECK = """\
========= COMPUTE-SANITIZER
========= Uninitialized __global__ memory read of size 4 bytes
=========     at conv_kernel(float *, const float *)+0x130 in conv.cu:8
=========     by thread (0,0,0) in block (0,0,0)
=========     Address 0x7f3c7ec000fc
=========
========= ERROR SUMMARY: 1 error
"""

SYNCCHECK = """\
========= COMPUTE-SANITIZER
========= Barrier error detected. Divergent thread(s) in block.
=========     at conv_kernel(float *)+0xa0 in conv.cu:61
=========     by thread (19,0,0) in block (0,0,0)
=========
========= ERROR SUMMARY: 1 error
"""

NOTHING = """\
========= COMPUTE-SANITIZER
========= Internal Sanitizer Error: The Sanitizer encountered an error while launching conv_kernel and didn't track it.
========= Program hit CUDA_ERROR_NOT_FOUND (error 500) due to "named symbol not found" on CUDA API call to cuGetProcAddress.
=========     Saved host backtrace up to driver entry point at error
=========     Host Frame: [0x3331c4]
=========                in /usr/lib/x86_64-linux-gnu/libcuda.so.1
=========
========= Host API memory access error at host access to 0x7f14c9e00200 of size 16 bytes
=========     Uninitialized access at 0x7f14c9e00200 on access by cudaMemcpy source
=========     Saved host backtrace up to driver entry point at error
=========
========= Leaked 1,024 bytes at 0x7879c0800000
=========     Saved host backtrace up to driver entry point at allocation time
========= Target application returned an error
========= ERROR SUMMARY: 1 error
the candidate prints: Invalid __global__ write
"""


@pytest.mark.parametrize(
    ("sanitizer", "text", "line"),
    [
        (
            "address",
            ASAN,
            "heap-buffer-overflow READ of size 4 in conv at kernel.c:12, 0 bytes to the right of 12-byte region",
        ),
        (
            "address",
            ASAN_IN_MEMCPY,
            "heap-buffer-overflow WRITE of size 16 in im2col at kernel.c:3, 0 bytes after 12-byte region",
        ),
        ("address", ASAN_SEGV, "SEGV in conv"),
        (
            "memcheck",
            MEMCHECK,
            (
                "Invalid __global__ write of size 4 bytes at conv_kernel(float *, const float *, int) in conv.cu:41, "
                "Access is out of bounds, and is 1 bytes after the nearest allocation of size 128 bytes"
            ),
        ),
        (
            "memcheck",
            MEMCHECK_OF_CUDA_11,
            "Invalid __global__ read of size 4 bytes in conv.cu:12:conv_kernel(float*, int), Address is misaligned",
        ),
        (
            "racecheck",
            RACECHECK,
            (
                "Race reported between Write access at conv_kernel(float *) in conv.cu:41 "
                "and Read access at conv_kernel(float *) in conv.cu:51"
            ),
        ),
        (
            "racecheck",
            RACECHECK_HAZARD,
            (
                "Potential WAR hazard detected at __shared__ in block (0,0,0) : "
                "Read Thread (0,0,0) at conv_kernel(float *) in conv.cu:41"
            ),
        ),
        (
            "initcheck",
            INITCHECK,
            "Uninitialized __global__ memory read of size 4 bytes at conv_kernel(float *, const float *) in conv.cu:8",
        ),
        (
            "synccheck",
            SYNCCHECK,
            "Barrier error detected. Divergent thread(s) in block. at conv_kernel(float *) in conv.cu:61",
        ),
    ],
)
def test_each_report_is_a_line_without_what_differs_from_run_to_run(sanitizer, text, line):
    assert reports(Sanitizer(sanitizer), text) == (line,)


@pytest.mark.parametrize("sanitizer", list(Sanitizer))
def test_what_says_nothing_of_a_kernel_is_no_report(sanitizer):
    assert reports(sanitizer, NOTHING) == ()


def test_a_report_that_is_still_being_written_is_none_yet():
    begun = MEMCHECK[: MEMCHECK.index("=========     at")]
    assert reports(Sanitizer.MEMCHECK, begun) == ()


OF_ANOTHER_RELEASE = {
    Sanitizer.MEMCHECK: """\
========= COMPUTE-SANITIZER
========= Invalid __global__ read of size 4 bytes
=========     at conv(const float *, float *, int)+0x80 in conv.cu:3
=========     by thread (36,0,0) in block (1,0,0)
=========     Access to 0x7fc046800190 is out of bounds
=========     and is 1 bytes after the nearest allocation at 0x7fc046800000 of size 400 bytes
=========     Saved host backtrace up to driver entry point at kernel launch time
=========         Host Frame: main [0x8d5b] in conv
=========
========= ERROR SUMMARY: 32 errors
========= ERROR SUMMARY: 29 errors were not printed. Use --print-limit option to adjust the number of printed errors
""",
    Sanitizer.RACECHECK: """\
========= COMPUTE-SANITIZER
========= Error: Race reported between Write access at conv(const float *, float *, int)+0x120 in conv.cu:3
=========     and Read access at conv(const float *, float *, int)+0x130 in conv.cu:3 [512 hazards]
=========
========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)
""",
    Sanitizer.SYNCCHECK: """\
========= COMPUTE-SANITIZER
========= Barrier error detected. Divergent thread(s) in warp.
=========     at branch(float *)+0x70 in conv.cu:4
=========     by thread (0,0,0) in block (0,0,0)
=========
========= ERROR SUMMARY: 16 errors
""",
}
"""As version 2025.3.1 wrote it on an H100."""


@pytest.mark.parametrize("sanitizer", OF_ANOTHER_RELEASE)
def test_what_a_device_really_gave_is_one_report(sanitizer):
    (line,) = reports(sanitizer, OF_ANOTHER_RELEASE[sanitizer])
    assert "in conv.cu:" in line
    assert "0x" not in line
