/* What Mbed TLS gives us, and nothing else: hashes, the cipher behind struct lb_rand, and P-256.
 * Replaces Mbed TLS's own configuration (MBEDTLS_CONFIG_FILE). A new line here wants its source
 * file in core/crypto/meson.build. */
#ifndef LB_CRYPTO_MBEDTLS_CONFIG_H
#define LB_CRYPTO_MBEDTLS_CONFIG_H

/* UEFI has the calling convention of Windows and nothing else of it. */
#undef _WIN32
#undef _MSC_VER

#define MBEDTLS_HAVE_ASM
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS /* no printf, no calloc */
#define MBEDTLS_PLATFORM_ZEROIZE_ALT      /* core/crypto/secret.c has it */

#define MBEDTLS_MD5_C
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA224_C /* Mbed TLS builds SHA-256 and it together */
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA3_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_PSA_P256M_DRIVER_ENABLED

#endif
