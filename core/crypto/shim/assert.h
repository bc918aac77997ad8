/* For Mbed TLS on machines without a C library: only its test builds assert. */
#ifndef LB_CRYPTO_SHIM_ASSERT_H
#define LB_CRYPTO_SHIM_ASSERT_H

#include "core/base/mem.h"

#define assert(condition) lb_assert(condition)
#define static_assert _Static_assert

#endif
