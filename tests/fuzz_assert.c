/* What a libFuzzer target needs beside the core: an assertion is a crash. */
#include "core/base/mem.h"
#include <stdio.h>
#include <stdlib.h>

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}
