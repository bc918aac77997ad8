/* The part of a C library's header of this name that Mbed TLS needs, for machines without a C
 * library (UEFI). On all others the system's own is found first. */
#ifndef LB_CRYPTO_SHIM_STRING_H
#define LB_CRYPTO_SHIM_STRING_H

#include "core/base/mem.h"

#endif
