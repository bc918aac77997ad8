/* A fuzz target: core/X/fuzz_x_wire.c defines one function and nothing else that is global.
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *     {
 *         struct lb_foo foo;
 *         lb_foo_decode(lb_bytes(data, size), &foo);
 *         return 0;
 *     }
 *
 * With -Dfuzz=true and clang it is a libFuzzer program, build/tests/fuzz_x_wire. Otherwise it is a
 * test that replays tests/fuzz/corpus/fuzz_x_wire/ and mutations of it (tests/fuzz_replay.c). */
#ifndef LB_TESTS_FUZZ_H
#define LB_TESTS_FUZZ_H

#include "core/base/bytes.h"

/* Always gives 0. What must hold is asserted (lb_assert). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
