/* SHA-1, MD5 and CRC32C in few bytes, for firmware: Mbed TLS writes the rounds of the first two out
 * (7 KB), here they are loops. Only what turns one block into the next state; the rest is Mbed
 * TLS's, which takes these where MBEDTLS_SHA1_PROCESS_ALT and MBEDTLS_MD5_PROCESS_ALT are defined
 * (hosts/uefi/Makefile). CHAP and keys are all that is hashed so: a few blocks a boot. */
#ifndef LB_CRYPTO_SMALL_H
#define LB_CRYPTO_SMALL_H

#include "core/base/mem.h"

/* RFC 3174 section 6.2. */
void lb_small_sha1(uint32_t state[5], const uint8_t block[64]);
/* RFC 1321 section 3.4. */
void lb_small_md5(uint32_t state[4], const uint8_t block[64]);
/* CRC32C of a processor that has no instruction for it, four bits a step. Of the inverted
 * checksum. */
uint32_t lb_small_crc32c(uint32_t crc, const uint8_t *p, size_t len);

#endif
