/*
 * trust: configurations that somebody has signed.
 *
 * A section of lunboot.efi, which the firmware has verified with the program, holds a configuration
 * (lb_trust_section). A public key in it, or in another place that an administrator trusts,
 * verifies the detached signature of a lunboot.conf (lb_trust_verify). What such configurations
 * forbid the others is core/base/config.h's. tools/sign-config makes both.
 */
#ifndef LB_TRUST_TRUST_H
#define LB_TRUST_TRUST_H

#include "core/crypto/p256.h"

#define LB_TRUST_SECTION "lunconf" /* with a dot before it, 8 bytes: what a PE section may have */

/* An uncompressed point (SEC 1 2.3.3): 04, x, y; the form of the key `config-signer`. */
enum { LB_TRUST_SIGNER_BYTES = 65 };
/* The longest DER signature: two INTEGERs of 33 bytes in a SEQUENCE. */
enum { LB_TRUST_SIGNATURE_MAX = 72 };

enum lb_trust_section {
    LB_TRUST_NONE,    /* a program without such a section */
    LB_TRUST_FOUND,   /* *out has its bytes, in the image, without the zeros at its end */
    LB_TRUST_DAMAGED, /* no PE program, a section outside it, or two of this name: use nothing */
};

/* Finds the section .lunconf of a program as the firmware has loaded it: image is its memory, from
 * LoadedImage's ImageBase on (Microsoft PE/COFF specification, sections 2 to 4). */
enum lb_trust_section lb_trust_section(struct lb_bytes image, struct lb_bytes *out);

/* A signature as openssl writes it, Ecdsa-Sig-Value of RFC 3279 2.2.3 in DER, into r and s of 32
 * bytes each. False: it is not exactly that, and out is untouched. */
bool lb_trust_signature(struct lb_bytes der, uint8_t out[LB_P256_SIGNATURE_BYTES]);

/* Whether der is a signature of the text by this signer. */
bool lb_trust_verify(const uint8_t signer[LB_TRUST_SIGNER_BYTES], struct lb_bytes text,
                     struct lb_bytes der);

#endif
