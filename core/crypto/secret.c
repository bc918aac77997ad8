/* Comparing and wiping of secrets. */
#include "core/crypto/crypto.h"
#include "mbedtls/constant_time.h"
#include "mbedtls/platform_util.h"

bool lb_equal_secret(struct lb_bytes a, struct lb_bytes b) {
    return a.len == b.len && mbedtls_ct_memcmp(a.p, b.p, a.len) == 0;
}

static void zero(void *p, size_t len) {
    if (len == 0)
        return;
    memset(p, 0, len);
    /* The compiler must believe that somebody reads the zeroes. */
    __asm__ volatile("" : : "r"(p) : "memory");
}

void lb_wipe(void *p, size_t len) {
    zero(p, len);
}

/* Mbed TLS's name for it; its own needs a C library (MBEDTLS_PLATFORM_ZEROIZE_ALT). It does not
 * call lb_wipe: tests/wipes.h counts those calls, and linkers differ in which calls within one file
 * they wrap. */
void mbedtls_platform_zeroize(void *buf, size_t len) {
    zero(buf, len);
}
